// The fields of the Sobot Canvas credential.

/** What is wrong with the form of a Sobot Canvas credential, in words; undefined if nothing is. */
export function canvasFormError(fields: Readonly<Record<string, unknown>>): string | undefined {
	const triggerId = String(fields.triggerId ?? '').trim();
	if (triggerId === '') return 'Trigger ID is empty. Enter it in the Sobot Canvas credential.';
	if (!/^\d{19}$/.test(triggerId)) {
		return `Trigger ID is not a 19-digit number: it has ${triggerId.length} characters. Copy it from the settings of the canvas in Sobot.`;
	}
	const secret = String(fields.secret ?? '').trim();
	if (secret === '') return 'Secret is empty. Enter it in the Sobot Canvas credential.';
	return /[^\x21-\x7e]/.test(secret)
		? 'Secret holds characters that cannot be sent in a header. Copy it again from the settings of the canvas in Sobot.'
		: undefined;
}
