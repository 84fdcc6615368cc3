// The credential of a Sobot account: fetches its token, has n8n store it, and attaches it to every request.
import type {
	Icon,
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	IHttpRequestHelper,
	IHttpRequestOptions,
	INodeProperties,
} from 'n8n-workflow';
import type { Token } from '../nodes/sobot/account/account';
import { REGION_URLS } from '../nodes/sobot/account/baseUrl';
import { fingerprintsOf, misplacedSecrets } from '../nodes/sobot/account/canvasFingerprints';
import { readCanvases } from '../nodes/sobot/account/canvasRows';
import {
	COLLECT_EXPRESSIONS,
	fieldsFromToken,
	readAccount,
	tokenFromFields,
	typedExpressions,
} from '../nodes/sobot/account/credential';
import { TOKEN_PROBE_PATH } from '../nodes/sobot/canvas/canvas';
import { systemClock } from '../nodes/sobot/clock';
import { redactSecrets, type HttpAnswer } from '../nodes/sobot/outcome/answer';
import { RETURN_CODES, withCode } from '../nodes/sobot/outcome/returnCodes';
import { sessionOf } from '../nodes/sobot/shared';
import { authenticationOf } from '../nodes/sobot/token/authentication';
import { TokenError } from '../nodes/sobot/token/tokenApi';

/**
 * Lets n8n 2 test a credential although the expression in a field fails: the field is then missing, and the test names it.
 */
const LENIENT = { ignoreCredentialExpressionResolveError: true };

// Declared separately because n8n's lint does not recognize "key" as a secret and would demand an unmasked field.
const APP_KEY: INodeProperties = {
	displayName: 'App Key',
	name: 'appKey',
	type: 'string',
	typeOptions: { password: true, ...LENIENT },
	default: '',
	required: true,
	description: "The private key (app_key) that belongs to the 'App ID'",
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
					description: 'Your own name for the canvas. The node lists its canvases under these names.',
				},
				{
					displayName: 'Trigger ID',
					name: 'triggerId',
					type: 'string',
					default: '',
					placeholder: 'e.g. 1234567890123456789',
					description: 'The 19-digit trigger-id in the settings of the canvas in Sobot',
				},
				{
					displayName: 'Secret',
					name: 'secret',
					type: 'string',
					typeOptions: { password: true },
					default: '',
					description: 'The secret next to the trigger ID in the settings of the canvas',
				},
			],
		},
	],
};

/**
 * The same field again, as it is stored. From a collection n8n removes everything that has another form than its own, such
 * as a list that was sent to its API, and the canvases would be missing without a word.
 */
const CANVASES_AS_STORED: INodeProperties = {
	displayName: 'Canvases',
	name: 'canvases',
	type: 'hidden',
	typeOptions: LENIENT,
	default: {},
	// Otherwise n8n would go by this one when it looks for the secrets that it must not show.
	doNotInherit: true,
};

/** A value that n8n stores with the token. Always a string: docs/n8n-behavior.md, C7. */
const stored = (displayName: string, name: string): INodeProperties => ({
	displayName,
	name,
	type: 'hidden',
	typeOptions: { password: true },
	default: '',
});

/**
 * A redirect would carry the token, and a canvas's secret, to another address. n8n's request helpers use different names
 * for this option.
 */
const NO_REDIRECTS = { disableFollowRedirect: true, followRedirect: false, followAllRedirects: false };

/** A Sobot account with its canvases and its token. */
export class SobotApi implements ICredentialType {
	name = 'sobotApi';

	displayName = 'Sobot API';

	icon: Icon = { light: 'file:../nodes/sobot/sobot.svg', dark: 'file:../nodes/sobot/sobot.dark.svg' };

	documentationUrl = 'https://github.com/n8n-nodes-sobot/n8n-nodes-sobot#credentials';

	properties: INodeProperties[] = [
		{
			displayName: 'Region',
			name: 'region',
			type: 'options',
			typeOptions: LENIENT,
			default: 'sg',
			options: [
				{ name: 'Singapore (sg.sobot.io)', value: 'sg' },
				{ name: 'North America (us.sobot.com)', value: 'us' },
				{ name: 'Mainland China, Tencent Cloud (www.soboten.com)', value: 'cn' },
				{ name: 'Mainland China, Alibaba Cloud (www.sobot.com)', value: 'cnAlibaba' },
				{ name: 'Custom (Private Deployment or Proxy)', value: 'custom' },
			],
			description:
				"The address of your Sobot console, without what follows the host name. If none of these matches, ask your contact at Sobot, who also issues the 'App ID' and 'App Key'.",
		},
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			typeOptions: LENIENT,
			default: '',
			required: true,
			placeholder: 'e.g. https://sobot.example.com',
			description: 'The address of your private deployment or proxy, without /console or /api',
			displayOptions: { show: { region: ['custom'] } },
		},
		{
			displayName: 'App ID',
			name: 'appId',
			type: 'string',
			typeOptions: LENIENT,
			default: '',
			required: true,
			description:
				'The API credential ID (appid). Sobot does not show it in the console: ask your contact at Sobot.',
		},
		APP_KEY,
		{
			displayName:
				"Add each canvas that is started by API. Copy its trigger ID and secret from its settings in Sobot. Sobot offers no way to test them without putting a customer on the canvas, so the test checks only their format. After you delete a row, enter the 'Secret' of all rows below it again. Or clear the row instead: empty rows are ignored.",
			name: 'canvasNotice',
			type: 'notice',
			default: '',
		},
		CANVASES,
		CANVASES_AS_STORED,
		// As it is sent: n8n's HTTP Request node hides values of the credential in what it shows.
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
		stored('Canvas Fingerprints', 'canvasFingerprints'),
		{
			displayName: 'Expressions',
			name: 'expressions',
			type: 'hidden',
			default: COLLECT_EXPRESSIONS,
		},
	];

	/**
	 * Fetches a token. n8n calls this when there is none, and after `authenticate` or a request has failed, and stores the
	 * returned fields.
	 */
	async preAuthentication(
		this: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
	): Promise<ICredentialDataDecryptedObject> {
		const authentication = authenticationOf(credentials);
		// The request was sent with a token: Sobot may have acted on it (docs/n8n-behavior.md, C4).
		if (authentication.token) return {};
		const reading = readAccount(credentials);
		if ('reason' in reading) throw new Error(reading.reason);
		const { account } = reading;
		const send = async (request: IHttpRequestOptions) => {
			const { statusCode, body } = (await this.helpers.httpRequest(request)) as HttpAnswer;
			return { statusCode, body: redactSecrets(body, [account.appKey]) };
		};
		try {
			const sinceMs = authentication.sinceMs ?? tokenFromFields(credentials)?.fetchedAtMs;
			authentication.token = await sessionOf(account).requests.fetch(account, send, sinceMs);
			return {
				// As they were typed: docs/n8n-behavior.md, C8.
				...(typedExpressions(credentials) as ICredentialDataDecryptedObject),
				...fieldsFromToken(authentication.token, account),
				canvasFingerprints: fingerprintsOf(credentials),
				expressions: undefined as never,
			};
		} catch (error) {
			if (!(error instanceof TokenError)) throw error;
			authentication.failure = error;
			// The credential dialog shows the message alone.
			throw new Error(`${error.message} ${error.advice}`, { cause: error });
		}
	}

	/**
	 * Attaches the token to a request. Throws something like HTTP 401 if there is no valid token, which makes n8n call
	 * `preAuthentication` and try again.
	 */
	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		requestOptions: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		const authentication = authenticationOf(credentials);
		if (authentication.isRenewal) throw new Error('The token is stored. There is nothing to send.');
		const isTest = isTestRequest(requestOptions);
		// A test fetches a token for the fields as typed: a stored token would only show that earlier values were right.
		if (isTest) authentication.sinceMs = Infinity;
		else authentication.token ??= validToken(credentials);
		const { token } = authentication;
		// docs/n8n-behavior.md, C3.
		if (!token) throw Object.assign(new Error('There is no valid token.'), { response: { status: 401 } });
		if (isTest) checkCanvases(credentials);
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
				.map(([retCode, { message, advice }]) =>
					testRule(retCode, `${withCode(message, retCode)} ${advice}`),
				),
			testRule('910022', 'Sobot refused the token that it had just issued (910022). Test again in a moment.'),
			testRule('999999', 'Sobot reports an unknown system error (999999). Test again in a moment.'),
			testRule(
				undefined,
				"This address issues tokens, but does not answer like Sobot's API. Check 'Region' or 'Base URL'.",
			),
		],
	};
}

/** The message of the test for one of Sobot's codes, or for an answer without a code. */
function testRule(retCode: string | undefined, message: string) {
	const properties = { key: 'ret_code', value: retCode, message };
	return { type: 'responseSuccessBody' as const, properties };
}

/** Whether this is the request of the credential test. n8n's HTTP Request node passes its address as `uri`. */
function isTestRequest({ url, headers }: IHttpRequestOptions): boolean {
	return url === TOKEN_PROBE_PATH && !Object.keys(headers ?? {}).some((name) => /^trigger-id$/i.test(name));
}

/** Throws unless every row of the canvases has the right form, and a secret that is its own as far as one can tell. */
function checkCanvases(credentials: ICredentialDataDecryptedObject): void {
	const rows = readCanvases(credentials);
	const reason = 'reason' in rows ? rows.reason : misplacedSecrets(credentials);
	if (reason !== undefined) throw new Error(reason);
}

function validToken(credentials: ICredentialDataDecryptedObject): Token | undefined {
	const token = tokenFromFields(credentials);
	return token && systemClock.epochMs() < token.expiresAtMs ? token : undefined;
}
