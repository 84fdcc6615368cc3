// The answers that Sobot's webhook app understands. Each call makes a new object, since n8n keeps what it is given.

/** The body of an answer. `code` is 0 for success; Sobot defines no other value. */
export interface PushAnswer {
	code: number;
	/** 0: success, 1: failure */
	status: 0 | 1;
}

/** The HTTP statuses of refused pushes. 500: the trigger could not read its own settings. */
export type RefusalStatus = 400 | 401 | 403 | 415 | 500;

/** Sobot accepts exactly this, with HTTP 200, as an acknowledgement. Source: Sobot, "Webhook app". */
export function acknowledged(): PushAnswer {
	return { code: 0, status: 0 };
}

/** The workflow reports a failure, with HTTP 200. Sobot resends the push after 1 minute and again after 5. */
export function failed(): PushAnswer {
	return { code: 1, status: 1 };
}

/** The trigger did not accept the push. Sobot resends it, as after `failed()`. */
export function refused(status: RefusalStatus): PushAnswer {
	return { code: status, status: 1 };
}
