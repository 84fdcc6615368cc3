// Decides whether a push is refused, dropped or accepted, and builds the workflow's input. Knows nothing of n8n.
import { isJsonObject } from '../sobot/outcome/answer';
import { refusalOf, type Caller, type Protection, type Refusal } from './admission';
import { withExactNumbers } from './exactNumbers';
import { deliveryKeyOf, isNestedTooDeep, parsePush } from './parsePush';
import { withoutSecrets } from './requestDetails';

/** A push as it arrived. */
export interface PushRequest extends Caller {
	method: string;
	/** names in lower case */
	headers: Readonly<Record<string, unknown>>;
	/** as n8n has parsed it */
	body: unknown;
	/** as it arrived */
	rawBody?: Buffer;
	/** of the raw body; UTF-8 if left out */
	encoding?: BufferEncoding;
}

/** The trigger's settings, as its builder has chosen them. */
export interface TriggerSettings extends Protection {
	/** empty: any company */
	companyIds: readonly string[];
	/** the builder's names for custom fields, by Sobot's ID */
	customFieldNames: ReadonlyMap<string, string>;
	simplify: boolean;
	includeRequest: boolean;
	/** the workflow acknowledges, with the Acknowledge operation */
	isAnsweredByWorkflow: boolean;
	/** how long a redelivery is dropped; 0: never */
	redeliveryWindowMs: number;
}

/** The decision about a push. `reason` is for n8n's log and never contains a secret. */
export type Reception =
	/** answered with an HTTP status that makes Sobot resend the push; starts nothing */
	| ({ kind: 'refused' } & Refusal)
	/** acknowledged; starts nothing */
	| { kind: 'dropped'; reason: string }
	/** starts the workflow with this JSON, if it is no redelivery */
	| { kind: 'accepted'; json: Record<string, unknown>; deliveryKey: string };

/** Authorizes a push, checks its format, filters it and turns it into the workflow's input. */
export function receivePush(request: PushRequest, settings: TriggerSettings): Reception {
	const refusal = refusalOf(request, settings);
	if (refusal) return { kind: 'refused', ...refusal };

	// n8n parses forms and XML into objects too.
	const contentType = request.headers['content-type'];
	if (typeof contentType !== 'string' || !/^application\/json *(;|$)/i.test(contentType))
		return refused(415, 'its content type is not application/json');
	const { body: parsed } = request;
	if (!isJsonObject(parsed)) return refused(400, 'its body is not a JSON object');
	if (isNestedTooDeep(parsed)) return refused(400, 'its body is nested more than 1,000 levels deep');

	const body = withExactNumbers(jsonText(request), parsed);
	const { pid } = body;
	const companyId = typeof pid === 'string' || typeof pid === 'number' ? String(pid) : '';
	if (settings.companyIds.length > 0 && !settings.companyIds.includes(companyId))
		return { kind: 'dropped', reason: "its company is not in 'Company IDs'" };

	const deliveryKey = deliveryKeyOf(body);
	const json: Record<string, unknown> = settings.simplify
		? { ...parsePush(body, settings.customFieldNames, deliveryKey) }
		: { ...body };
	if (settings.includeRequest) json.request = withoutSecrets(request, settings.secret);
	return { kind: 'accepted', json, deliveryKey };
}

/** The JSON that n8n has parsed; '' if n8n has not kept it. */
function jsonText({ rawBody, encoding }: PushRequest): string {
	return rawBody?.toString(encoding).replace(/^\uFEFF/, '') ?? '';
}

function refused(status: Refusal['status'], reason: string): Reception {
	return { kind: 'refused', status, reason };
}
