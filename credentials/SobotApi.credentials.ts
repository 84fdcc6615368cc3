// The account at Sobot: signs for the token, keeps it in n8n's database, and attaches it to every request.
import type {
	Icon,
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	IHttpRequestHelper,
	IHttpRequestOptions,
	INodeProperties,
} from 'n8n-workflow';
import type { HttpAnswer } from '../nodes/sobot/answer';
import { REGION_URLS } from '../nodes/sobot/baseUrl';
import { TOKEN_PROBE_PATH } from '../nodes/sobot/canvas';
import { systemClock } from '../nodes/sobot/clock';
import { readAccount, storedTokenOf, toStored } from '../nodes/sobot/credential';
import { TokenError } from '../nodes/sobot/tokenApi';
import { fetchToken } from '../nodes/sobot/shared';
import { RETURN_CODES } from '../nodes/sobot/returnCodes';

// Apart from the others: n8n's lint does not know Sobot's "key" for a secret, and would have it unmasked.
const APP_KEY: INodeProperties = {
	displayName: 'App Key',
	name: 'appKey',
	type: 'string',
	typeOptions: { password: true },
	default: '',
	required: true,
	description: 'The private key (app_key) that belongs to the App ID',
};

export class SobotApi implements ICredentialType {
	name = 'sobotApi';

	displayName = 'Sobot API';

	icon: Icon = { light: 'file:../nodes/sobot/sobot.svg', dark: 'file:../nodes/sobot/sobot.dark.svg' };

	documentationUrl = 'https://developer.sobot.io/en/pages/klm13z';

	properties: INodeProperties[] = [
		{
			displayName: 'Region',
			name: 'region',
			type: 'options',
			default: 'sg',
			options: [
				{ name: 'Singapore (sg.sobot.io)', value: 'sg' },
				{ name: 'North America (us.sobot.com)', value: 'us' },
				{ name: 'Mainland China (www.soboten.com)', value: 'cn' },
				{ name: 'Custom', value: 'custom' },
			],
			description: 'Where your Sobot account lives: look at the address of your Sobot console',
		},
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. https://sobot.example.com',
			description: 'Address of a private deployment or a proxy, without /api',
			displayOptions: { show: { region: ['custom'] } },
		},
		{
			displayName: 'App ID',
			name: 'appId',
			type: 'string',
			default: '',
			required: true,
			description: 'The API credential ID (appid) from your Sobot console',
		},
		APP_KEY,
		{
			displayName: 'Token',
			name: 'token',
			type: 'hidden',
			typeOptions: { expirable: true, password: true },
			default: '',
		},
		{
			displayName: 'Token Expires At',
			name: 'tokenExpiresAt',
			type: 'hidden',
			typeOptions: { password: true },
			default: '',
		},
		{
			displayName: 'Token Fetched At',
			name: 'tokenFetchedAt',
			type: 'hidden',
			typeOptions: { password: true },
			default: '',
		},
	];

	/** n8n calls this when there is no token yet, after an HTTP 401 and in a test; what it returns is stored. */
	async preAuthentication(
		this: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
	): Promise<ICredentialDataDecryptedObject> {
		const reading = readAccount(credentials);
		if ('problem' in reading) throw new Error(reading.problem);
		const send = async (request: IHttpRequestOptions) =>
			(await this.helpers.httpRequest(request)) as HttpAnswer;
		try {
			return toStored(await fetchToken(reading.account, storedTokenOf(credentials), send));
		} catch (error) {
			if (!(error instanceof TokenError)) throw error;
			// The credential dialog shows the message alone; our own node looks for the cause.
			throw new Error(`${error.message} ${error.advice}`, { cause: error });
		}
	}

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		requestOptions: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		const token = storedTokenOf(credentials);
		if (token && systemClock.epochMs() >= token.expiresAtMs) {
			// n8n renews and sends when a request ends in 401; Sobot itself would report this as HTTP 200.
			throw Object.assign(new Error("Sobot's token has expired."), { response: { status: 401 } });
		}
		return { ...requestOptions, headers: { ...requestOptions.headers, token: token?.value ?? '' } };
	}

	test: ICredentialTestRequest = {
		request: {
			method: 'POST',
			baseURL: `={{ (${JSON.stringify(REGION_URLS)})[$credentials.region] || $credentials.baseUrl.trim().replace(/\\/+$/, "") }}`,
			url: TOKEN_PROBE_PATH,
			ignoreHttpStatusErrors: true,
		},
		rules: Object.entries(RETURN_CODES)
			.filter(([, { outcome }]) => outcome === 'tokenRefused')
			.map(([retCode, { message, advice }]) => ({
				type: 'responseSuccessBody' as const,
				properties: { key: 'ret_code', value: retCode, message: `${message} (${retCode}). ${advice}` },
			})),
	};
}
