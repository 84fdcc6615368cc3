// This package's nodes as workflows name them, and the version that the tests use.
export const ACTION = { type: 'n8n-nodes-sobot.sobotRuleEngine', typeVersion: 1 } as const;
export const TRIGGER = { type: 'n8n-nodes-sobot.sobotWebhookAppTrigger', typeVersion: 1 } as const;
