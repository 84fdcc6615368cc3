// A credential whose fields are expressions can name another account or other canvases for each item.
import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { FORM_OF_CANVASES } from '../../sobot/account/canvasRows';
import { sameTypedFields } from '../../sobot/account/credential';
import { n8nSays, unresolvedExpression } from '../../sobot/outcome/errors';

/**
 * Whether the Sobot API credential must be read for each item because an expression in it depends on the item.
 *
 * n8n does not tell: it returns only resolved values. So the credential is also read for the last item and for an item
 * that does not exist. For the latter, `$json` and everything else that belongs to an item throw, even with a default
 * after them. Only an expression that tolerates a missing item, and has the same value for the first and the last item,
 * goes unnoticed.
 *
 * @param first the fields for the first item
 */
export async function dependsOnItem(
	node: IExecuteFunctions,
	first: ICredentialDataDecryptedObject,
): Promise<boolean> {
	const count = node.getInputData().length;
	if (count <= 1) return false;
	for (const index of [count, count - 1]) {
		try {
			if (!sameTypedFields(first, await node.getCredentials('sobotApi', index))) return true;
		} catch {
			return true;
		}
	}
	return false;
}

/** Why n8n could not read the Sobot API credential, and what to do. */
export function whyUnreadable(cause: unknown): string {
	const unresolved = unresolvedExpression(cause, 'Sobot API');
	if (unresolved !== undefined) return unresolved;
	const said = n8nSays(cause);
	if (/is not iterable|property option/.test(said)) {
		return `'Canvases' in the Sobot API credential is not a list of rows. Enter them again, or send this form to n8n's API: ${FORM_OF_CANVASES}`;
	}
	return `n8n could not read the Sobot API credential. Open it and save it again, or choose another.${said}`;
}
