// A credential whose fields are expressions can name another account or other canvases for each item.
import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { sameTypedFields } from '../../sobot/credential';

/**
 * Does the Sobot API credential have to be read for each item, because an expression in it depends on the item?
 *
 * n8n does not tell: it hands out fields only as what they give for an item. So the credential is read for the last item
 * and for an item that does not exist: for the latter, `$json` and all that belongs to an item throw, whatever default
 * stands behind them. Only an expression that also tolerates a missing item, and gives its default for the first and the
 * last item, stays hidden.
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
