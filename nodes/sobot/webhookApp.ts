// What Sobot's webhook app and its receiver say to each other.

/** Sobot takes exactly this, with HTTP 200, for an acknowledgement. Source: Sobot, "Webhook app". */
export const ACKNOWLEDGED = { code: 0, status: 0 } as const;

/** The receiver's way to say that it has failed; Sobot pushes again after 1 and after 5 minutes. */
export const FAILED = { code: 1, status: 1 } as const;
