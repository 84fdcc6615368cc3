// The token in n8n's stored credential: the one place that all executions, workers and restarts of an n8n share.
import type { IExecuteFunctions } from 'n8n-workflow';
import { TOKEN_PROBE_PATH } from '../../sobot/canvas';
import { askingForRenewal, storedTokenOf } from '../../sobot/credential';
import { TokenError } from '../../sobot/tokenApi';
import { causesOf } from '../../sobot/answer';
import type { TokenStore } from '../../sobot/tokenSession';

/** The store behind the Sobot API credential of a node. */
export function storedToken(node: IExecuteFunctions, baseUrl: string): TokenStore {
	const read = async () => storedTokenOf(await node.getCredentials('sobotApi'));
	return {
		read,
		async renew(served) {
			const fields = await node.getCredentials('sobotApi');
			let failure: unknown;
			try {
				// With an empty token n8n fetches and stores a new one before it sends. What it sends is refused by Sobot
				// before anything happens.
				await node.helpers.httpRequestWithAuthentication.call(
					node,
					'sobotApi',
					{
						method: 'POST',
						url: `${baseUrl}${TOKEN_PROBE_PATH}`,
						ignoreHttpStatusErrors: true,
					},
					{
						credentialsDecrypted: {
							id: node.getNode().credentials?.sobotApi?.id ?? '',
							name: node.getNode().credentials?.sobotApi?.name ?? '',
							type: 'sobotApi',
							data: askingForRenewal(fields, served),
						},
					},
				);
			} catch (error) {
				failure = error;
			}
			const token = await read();
			if (token && token.value !== served?.value) return token;
			for (const cause of causesOf(failure)) if (cause instanceof TokenError) throw cause;
			throw new TokenError(
				'n8n could not renew the token in the Sobot API credential.',
				'Test the credential, and check that n8n can write to its database.',
				null,
				true,
			);
		},
	};
}
