// A credential whose fields are expressions can name another account or other canvases for each item.
import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { sameTypedFields } from '../../sobot/credential';

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
