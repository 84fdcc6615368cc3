// A credential whose fields are expressions can name another account or other canvases for each item.
import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { FORM_OF_CANVASES } from '../../sobot/account/canvasRows';
import { ENV_IS_BLOCKED, sameTypedFields } from '../../sobot/account/credential';
import { n8nSays } from '../../sobot/outcome/errors';

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

/** How n8n marks its message on an expression in a credential that it cannot resolve. */
const MARK_OF_EXPRESSIONS = / \[Error resolving credentials\]$/;

/** Why n8n could not read the Sobot API credential, and what to do. */
export function whyUnreadable(cause: unknown): string {
	const marked = n8nSays(cause);
	const said = marked.replace(MARK_OF_EXPRESSIONS, '');
	if (said.includes('access to env vars denied')) {
		return `An expression in the Sobot API credential uses $env. ${ENV_IS_BLOCKED} Change that, or enter the value itself.`;
	}
	if (said !== marked || (cause instanceof Error && cause.name === 'ExpressionError')) {
		return `n8n cannot resolve an expression in the Sobot API credential. Correct it there.${said}`;
	}
	if (/is not iterable|property option/.test(said)) {
		return `'Canvases' in the Sobot API credential is not a list of rows. Enter them again, or send this form to n8n's API: ${FORM_OF_CANVASES}`;
	}
	return `n8n could not read the Sobot API credential. Open it and save it again, or choose another.${said}`;
}
