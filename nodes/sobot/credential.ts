// The fields of the Sobot API credential, as n8n stores them, and what they mean.
import { baseUrlOf } from './baseUrl';
import type { Account, Token } from './account';

/** The account that a credential names, or in words what is wrong with its fields: then nothing may be sent. */
export function readAccount(
	fields: Readonly<Record<string, unknown>>,
): { account: Account } | { problem: string } {
	const appId = String(fields.appId ?? '').trim();
	const appKey = String(fields.appKey ?? '').trim();
	const baseUrl = baseUrlOf(fields);
	if (appId === '') return { problem: 'App ID is empty. Enter it in the Sobot API credential.' };
	if (appKey === '') return { problem: 'App Key is empty. Enter it in the Sobot API credential.' };
	if (baseUrl === undefined) {
		return {
			problem:
				'The Base URL in the Sobot API credential is not a URL. Enter one such as https://sobot.example.com, without anything after the path.',
		};
	}
	return { account: { baseUrl, appId, appKey } };
}

/** The token that is stored in a credential; undefined if there is none yet. */
export function storedTokenOf(fields: Readonly<Record<string, unknown>>): Token | undefined {
	// While a renewal is asked for, `token` is empty, since only then n8n calls `preAuthentication`.
	const value = fields.token || fields.servedToken;
	if (typeof value !== 'string' || value === '') return undefined;
	return {
		value,
		fetchedAtMs: Number(fields.tokenFetchedAt) || 0,
		expiresAtMs: Number(fields.tokenExpiresAt) || 0,
	};
}

/** The fields to store for a token. Moments are epoch milliseconds. */
export function toStored(token: Token) {
	return { token: token.value, tokenFetchedAt: token.fetchedAtMs, tokenExpiresAt: token.expiresAtMs };
}

/** The fields that make n8n fetch a token to follow the one that is stored. */
export function askingForRenewal<Fields extends object>(fields: Fields, served: Token | undefined) {
	return { ...fields, token: '', servedToken: served?.value };
}
