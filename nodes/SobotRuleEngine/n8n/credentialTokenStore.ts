// The token in n8n's stored credential: the one place that all executions, workers and restarts of an n8n share.
import type { ICredentialDataDecryptedObject, IExecuteFunctions } from 'n8n-workflow';
import { accountKey, type Account, type Token } from '../../sobot/account/account';
import { readAccount, tokenFromFields } from '../../sobot/account/credential';
import { TOKEN_PROBE_PATH } from '../../sobot/canvas/canvas';
import { n8nSays } from '../../sobot/outcome/errors';
import { beginRenewal } from '../../sobot/token/authentication';
import { TokenError } from '../../sobot/token/tokenApi';
import type { TokenStore } from '../../sobot/token/tokenSession';

/**
 * The Sobot API credential of a node as the store of one account's token.
 *
 * @param itemIndex an item for which the credential resolves to this account, if its fields are expressions
 */
export function credentialTokenStore(node: IExecuteFunctions, account: Account, itemIndex = 0): TokenStore {
	const readFields = async () => {
		const fields = await node.getCredentials('sobotApi', itemIndex);
		const reading = readAccount(fields);
		return 'account' in reading && accountKey(reading.account) === accountKey(account) ? fields : undefined;
	};
	return {
		async read() {
			return tokenFromFields((await readFields()) ?? {});
		},
		async renew(previous) {
			const fields = await readFields();
			if (!fields) {
				throw new TokenError(
					'The Sobot API credential was changed while the workflow was running.',
					'Run the workflow again for the items that were not sent.',
					null,
					false,
				);
			}
			return await renewThroughN8n(node, account, fields, previous);
		},
	};
}

/** Has n8n call the credential's `preAuthentication`, which fetches a token, and store what it returns. */
async function renewThroughN8n(
	node: IExecuteFunctions,
	account: Account,
	stored: ICredentialDataDecryptedObject,
	previous: Token | undefined,
): Promise<Token> {
	const { id, name } = node.getNode().credentials?.sobotApi ?? { id: '', name: '' };
	const { fields, renewal } = beginRenewal(stored, previous);
	let thrown: unknown;
	try {
		// Nothing is sent: the credential's `authenticate` ends the request once the token is stored.
		await node.helpers.httpRequestWithAuthentication.call(
			node,
			'sobotApi',
			{ method: 'POST', url: `${account.baseUrl}${TOKEN_PROBE_PATH}`, disableFollowRedirect: true },
			{ credentialsDecrypted: { id: id ?? '', name, type: 'sobotApi', data: fields } },
		);
	} catch (error) {
		// Either that expected end, or an error that `renewal` has recorded: n8n 1.123 loses the cause of errors that
		// `preAuthentication` throws.
		thrown = error;
	}
	if (renewal.token) return renewal.token;
	// Engine 2.0 never asks for a token (docs/n8n-behavior.md, E1), and shows the message alone (E2).
	const said = n8nSays(thrown).replace(/\.?$/, '.');
	throw (
		renewal.failure ??
		new TokenError(
			`n8n did not renew the token in the Sobot API credential.${said} If this is Engine 2.0, run this node in a workflow, or a sub-workflow, without Engine 2.0.`,
			'Or test the credential: this stores a token, which lasts up to 24 hours.',
			null,
			false,
		)
	);
}
