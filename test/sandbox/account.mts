// The state of the local Sobot: one company with its token, canvases and customers, and the rules by which it decides.
// Written from Sobot's document alone; it never imports the code that it judges.
import { createHash, randomBytes } from 'node:crypto';
import type { ServiceProfile } from './answers.mts';
import { Limiter, type LimiterKind } from './limiter.mts';

export interface WebhookApp {
	url: string;
	method: 'POST' | 'PUT';
	/** sent along with each push, for example by a proxy in between */
	headers?: Record<string, string>;
}

export interface Canvas {
	/** the user's own name for it in n8n; Sobot's API has no names */
	name: string;
	triggerId: string;
	secret: string;
	active: boolean;
	/** name of the customer source field */
	contactIdField: string;
	callsPerSecond: number;
	/** how calls are counted against `callsPerSecond` */
	limiter: LimiterKind;
	webhookApp?: WebhookApp;
}

/** A customer's profile as a webhook app sends it; `id` is what the canvas was triggered with. */
export type Profile = Record<string, unknown> & { id: string };

export interface AccountSettings {
	appId: string;
	appKey: string;
	tokenLifeSeconds: number;
	/** how far `create_time` may be from this machine's clock */
	clockToleranceSeconds: number;
	/** how a dead token is reported on a business call */
	deadTokenCode: '900002' | '910022';
	/** in which words Sobot answers */
	profile: ServiceProfile;
	/** false is a plan without API access: every call is refused with 700046 */
	hasApiAccess: boolean;
	/** customers that Sobot does not find, and cannot create either */
	unknownContactIds: string[];
	canvases: Canvas[];
}

export interface TriggerCall {
	triggerId?: string;
	secret?: string;
	token?: string;
	body: unknown;
}

export interface Decision {
	code: string;
	canvas?: Canvas;
	customer?: Profile;
}

export class Account {
	private token = '';
	private tokenEndMs = 0;
	private readonly limiters = new Map<string, Limiter>();
	readonly customers = new Map<string, Profile>();

	constructor(readonly settings: AccountSettings) {}

	/** get_token: a new token, which ends the one before, or the code of a refusal. */
	issueToken(query: Record<string, unknown>, nowMs: number): { token: string } | { code: string } {
		const { appId, appKey, clockToleranceSeconds } = this.settings;
		const { appid, create_time: createTime, sign } = query;
		if (!this.settings.hasApiAccess) return { code: '700046' };
		if (appid !== appId) return { code: '900004' };
		if (typeof createTime !== 'string' || !/^\d{10}$/.test(createTime)) return { code: '900003' };
		if (Math.abs(Number(createTime) - nowMs / 1000) > clockToleranceSeconds) return { code: '900003' };
		const expected = createHash('md5')
			.update(appId + createTime + appKey)
			.digest('hex');
		if (sign !== expected) return { code: '900003' };
		return { token: this.renewToken(nowMs) };
	}

	/** A new token, as if another program had asked for it. */
	renewToken(nowMs: number): string {
		this.token = randomBytes(16).toString('hex');
		this.tokenEndMs = nowMs + this.settings.tokenLifeSeconds * 1000;
		return this.token;
	}

	expireToken(): void {
		this.tokenEndMs = 0;
	}

	/** The code for a business call, as far as it depends on the token. */
	tokenCode(token: string | undefined, nowMs: number): string {
		if (!this.settings.hasApiAccess) return '700046';
		if (!token) return '900001';
		return token === this.token && nowMs < this.tokenEndMs ? '000000' : this.settings.deadTokenCode;
	}

	/** The canvas trigger: accepted (`000000`) with the customer on the canvas, or the code of a refusal. */
	trigger(call: TriggerCall, nowMs: number): Decision {
		const canvas = this.settings.canvases.find(({ triggerId }) => triggerId === call.triggerId);
		if (canvas && !this.isWithinLimit(canvas, nowMs)) return { code: '910024' };
		const tokenCode = this.tokenCode(call.token, nowMs);
		if (tokenCode !== '000000') return { code: tokenCode };
		if (!call.triggerId) return { code: '910021' };
		if (!canvas || call.secret !== canvas.secret) return { code: '910022' };
		if (!canvas.active) return { code: '910025' };
		if (typeof call.body !== 'object' || call.body === null || Array.isArray(call.body)) {
			return { code: '910023' };
		}
		const body = call.body as Record<string, unknown>;
		const contactId = body[canvas.contactIdField];
		if (typeof contactId !== 'string' || contactId === '') return { code: '910023' };
		if (this.settings.unknownContactIds.includes(contactId)) return { code: '910026' };
		const known = this.customers.get(contactId);
		if (!known && (typeof body.nick !== 'string' || body.nick === '')) return { code: '910026' };
		const customer = known ?? newCustomer(contactId, String(body.nick));
		this.customers.set(contactId, customer);
		return { code: '000000', canvas, customer };
	}

	private isWithinLimit({ triggerId, limiter: kind, callsPerSecond }: Canvas, nowMs: number): boolean {
		let limiter = this.limiters.get(triggerId);
		if (limiter?.kind !== kind) {
			limiter = new Limiter(kind);
			this.limiters.set(triggerId, limiter);
		}
		return limiter.take(callsPerSecond, nowMs);
	}
}

/** A customer as Sobot creates it, with the profile of its document's example. */
export function newCustomer(id: string, nick: string): Profile {
	return {
		id,
		pid: '456',
		nick,
		uname: nick,
		email: '15612661266@163.com;15612661267@163.com',
		tel: '1234567890',
		qq: '123456',
		remark: 'This is a remark',
		is_vip: '0',
		vip_level: 'Gold',
		user_label: '581dfa5ff16644619d8a7e1a45632a79,33d090699539491d9a0cc75f896453bc',
		face: 'https://example.com/avatar.jpg',
		ex_fields: { '040778587416412fba9941ea482407f2': '123' },
	};
}
