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
import type { Token } from '../nodes/sobot/account';
import { withoutSecrets, type HttpAnswer } from '../nodes/sobot/answer';
import { REGION_URLS } from '../nodes/sobot/baseUrl';
import { TOKEN_PROBE_PATH } from '../nodes/sobot/canvas';
import { readCanvases } from '../nodes/sobot/canvasRows';
import { systemClock } from '../nodes/sobot/clock';
import {
	fieldsOf,
	readAccount,
	tokenFromFields,
	typedExpressions,
	TYPED_EXPRESSIONS,
} from '../nodes/sobot/credential';
import {
	grant,
	grantedToken,
	isTested,
	noteAttached,
	noteTested,
	renewalOf,
	wasAttached,
} from '../nodes/sobot/renewal';
import { RETURN_CODES } from '../nodes/sobot/returnCodes';
import { fetchNewToken, fetchToken } from '../nodes/sobot/shared';
import { TokenError } from '../nodes/sobot/tokenApi';

// Declared separately because n8n's lint does not recognise "key" as a secret and would demand an unmasked field.
const APP_KEY: INodeProperties = {
	displayName: 'App Key',
	name: 'appKey',
	type: 'string',
	typeOptions: { password: true },
	default: '',
	required: true,
	description: 'The private key (app_key) that belongs to the App ID',
};

const CANVASES: INodeProperties = {
	displayName: 'Canvases',
	name: 'canvases',
	type: 'fixedCollection',
	typeOptions: { multipleValues: true },
	placeholder: 'Add Canvas',
	default: {},
	options: [
		{
			displayName: 'Canvas',
			name: 'canvas',
			values: [
				{
					displayName: 'Name',
					name: 'name',
					type: 'string',
					default: '',
					placeholder: 'e.g. Welcome',
					description: 'Your own name for the canvas, by which you choose it in the node',
				},
				{
					displayName: 'Trigger ID',
					name: 'triggerId',
					type: 'string',
					default: '',
					placeholder: 'e.g. 1234567890123456789',
					description: 'The 19-digit trigger-id that Sobot shows in the settings of the canvas',
				},
				{
					displayName: 'Secret',
					name: 'secret',
					type: 'string',
					typeOptions: { password: true },
					default: '',
					description: 'The secret that Sobot shows beside the trigger ID',
				},
			],
		},
	],
};

/** A value that n8n stores with the token. Always a string: n8n 1.123 cannot open a credential with anything else. */
const stored = (displayName: string, name: string): INodeProperties => ({
	displayName,
	name,
	type: 'hidden',
	typeOptions: { password: true },
	default: '',
});

/**
 * A redirect would carry the token, and a canvas's secret, to another address. Each of n8n's ways to send a request has
 * its own words for it.
 */
const NO_REDIRECTS = { disableFollowRedirect: true, followRedirect: false, followAllRedirects: false };

type TestRule = Extract<
	NonNullable<ICredentialTestRequest['rules']>[number],
	{ type: 'responseSuccessBody' }
>;

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
				{ name: 'Mainland China, Tencent Cloud (www.soboten.com)', value: 'cn' },
				{ name: 'Mainland China, Alibaba Cloud (www.sobot.com)', value: 'cnAlibaba' },
				{ name: 'Custom (Private Deployment or Proxy)', value: 'custom' },
			],
			description:
				'Compare the address of your Sobot console. If it matches none of these, ask your Sobot contact or after-sales, who hand out App ID, App Key and region.',
		},
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. https://sobot.example.com',
			description: 'The start of the address of your private deployment or proxy, without /console or /api',
			displayOptions: { show: { region: ['custom'] } },
		},
		{
			displayName: 'App ID',
			name: 'appId',
			type: 'string',
			default: '',
			required: true,
			description:
				'The API credential ID (appid). Sobot does not show it in the console: ask your Sobot contact or after-sales.',
		},
		APP_KEY,
		{
			displayName:
				'Sobot shows the Trigger ID and Secret of a canvas in the settings of a canvas that is started by API. Sobot offers no way to test them without putting a customer on the canvas, so the test checks only their format.<br>After you delete a row, enter the secrets of all rows below it again. Or clear the row instead: empty rows are ignored.',
			name: 'canvasNotice',
			type: 'notice',
			default: '',
		},
		CANVASES,
		{
			displayName: 'Token',
			name: 'token',
			type: 'hidden',
			typeOptions: { expirable: true, password: true },
			default: '',
		},
		stored('Token Fetched At', 'tokenFetchedAt'),
		stored('Token Expires At', 'tokenExpiresAt'),
		stored('Token Account', 'tokenAccount'),
		{
			displayName: 'Expressions',
			name: 'expressions',
			type: 'hidden',
			default: TYPED_EXPRESSIONS,
		},
	];

	/** n8n calls this when there is no token, and when `authenticate` or the request failed; it stores what this returns. */
	async preAuthentication(
		this: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
	): Promise<ICredentialDataDecryptedObject> {
		// The request has left with a token. Whatever ended it, n8n must not send it again: Sobot may have acted on it.
		// Without a token in the answer, n8n stores nothing and throws the error of the request.
		if (wasAttached(credentials) || grantedToken(credentials)) return {};
		const reading = readAccount(credentials);
		if ('problem' in reading) throw new Error(reading.problem);
		const { account } = reading;
		const renewal = renewalOf(credentials);
		const previous = renewal ? renewal.previous : tokenFromFields(credentials);
		const send = async (request: IHttpRequestOptions) => {
			const { statusCode, body } = (await this.helpers.httpRequest(request)) as HttpAnswer;
			return { statusCode, body: withoutSecrets(body, [account.appKey]) };
		};
		try {
			const token = isTested(credentials)
				? await fetchNewToken(account, send)
				: await fetchToken(account, previous, send);
			grant(credentials, token);
			if (renewal) renewal.token = token;
			return withoutResolved(credentials, fieldsOf(token, account));
		} catch (error) {
			if (!(error instanceof TokenError)) throw error;
			if (renewal) renewal.failure = error;
			// The credential dialog shows the message alone.
			throw new Error(`${error.message} ${error.advice}`, { cause: error });
		}
	}

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		requestOptions: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		if (renewalOf(credentials)) throw new Error('The token is stored. There is nothing to send.');
		const isTest = isTestRequest(requestOptions);
		if (isTest) noteTested(credentials);
		// A test fetches a token with what was typed: the stored one would answer for what was typed before.
		const token = grantedToken(credentials) ?? (isTest ? undefined : livingToken(credentials));
		noteAttached(credentials, token !== undefined);
		if (!token) {
			// n8n renews and sends when a request ends in 401; Sobot itself would report this as HTTP 200.
			throw Object.assign(new Error('There is no living token.'), { response: { status: 401 } });
		}
		const rows = isTest ? readCanvases(credentials) : undefined;
		if (rows && 'problem' in rows) throw new Error(rows.problem);
		return {
			...requestOptions,
			headers: { ...requestOptions.headers, token: token.value },
			...NO_REDIRECTS,
		};
	}

	test: ICredentialTestRequest = {
		request: {
			method: 'POST',
			baseURL: `={{ (${JSON.stringify(REGION_URLS)})[$credentials.region] || $credentials.baseUrl.trim().replace(/\\/+$/, "") }}`,
			url: TOKEN_PROBE_PATH,
			ignoreHttpStatusErrors: true,
			disableFollowRedirect: true,
		},
		rules: [
			...Object.entries(RETURN_CODES)
				.filter(([, { outcome }]) => outcome === 'tokenRefused')
				.map(([retCode, { message, advice }]) => testRule(retCode, `${message} (${retCode}). ${advice}`)),
			testRule('910022', 'Sobot refused the token that it had just given (910022). Test again in a moment.'),
			testRule('999999', 'Sobot reports an unknown system error (999999). Test again in a moment.'),
			testRule(undefined, 'This address gives tokens, but does not answer as Sobot does. Check the address.'),
		],
	};
}

/** What the test says if Sobot answers with this code, or without any. */
function testRule(retCode: string | undefined, message: string): TestRule {
	return { type: 'responseSuccessBody', properties: { key: 'ret_code', value: retCode, message } };
}

/** Only the test sends this: n8n's HTTP Request node names its address `uri`. */
function isTestRequest({ url, headers }: IHttpRequestOptions): boolean {
	return url === TOKEN_PROBE_PATH && !Object.keys(headers ?? {}).some((name) => /^trigger-id$/i.test(name));
}

function livingToken(credentials: ICredentialDataDecryptedObject): Token | undefined {
	const token = tokenFromFields(credentials);
	return token && systemClock.epochMs() < token.expiresAtMs ? token : undefined;
}

/** What n8n is to store: n8n 1.123 stores all fields, expressions as what they gave, unless they are given back to it. */
function withoutResolved(
	credentials: ICredentialDataDecryptedObject,
	fields: Record<string, string>,
): ICredentialDataDecryptedObject {
	return {
		...(typedExpressions(credentials) as ICredentialDataDecryptedObject),
		...fields,
		expressions: undefined as never,
	};
}
