import { receivePush, type PushRequest, type TriggerSettings } from '../../nodes/SobotWebhookApp/receivePush';
import { deliveryKeyOf } from '../../nodes/SobotWebhookApp/parsePush';

const BODY = { id: '123', pid: '456' };
const request = (more: Partial<PushRequest> = {}): PushRequest => ({
	method: 'POST',
	query: {},
	headers: { 'content-type': 'application/json' },
	rawHeaders: [],
	address: '203.0.113.7',
	body: BODY,
	...more,
});
const settings = (more: Partial<TriggerSettings> = {}): TriggerSettings => ({
	companyIds: [],
	customFieldNames: new Map(),
	simplify: true,
	includeRequest: false,
	isAnsweredByWorkflow: false,
	redeliveryWindowMs: 0,
	...more,
});
const outcome = (more: Partial<PushRequest>, set: Partial<TriggerSettings> = {}) => {
	const reception = receivePush(request(more), settings(set));
	return reception.kind === 'refused' ? reception.status : reception.kind;
};

test.each([
	['application/json', 'accepted'],
	['application/json; charset=utf-8', 'accepted'],
	['Application/JSON', 'accepted'],
	['application/json-patch', 415],
	['text/json', 415],
	['application/x-www-form-urlencoded', 415],
	[undefined, 415],
	[['application/json'], 415],
])('the content type %j: %s', (contentType, expected) => {
	expect(outcome({ headers: { 'content-type': contentType } })).toBe(expected);
});

test.each([[[]], [null], ['text'], [5], [undefined]])('the body %j is refused', (body) => {
	expect(outcome({ body })).toBe(400);
});

test('a body that n8n could not load again is refused', () => {
	const body = JSON.parse(`{"a":${'['.repeat(1001)}${']'.repeat(1001)}}`) as unknown;
	expect(outcome({ body })).toBe(400);
});

test('nothing of a push is looked at before its sender is known', () => {
	expect(outcome({ body: [], headers: {} }, { ipAllowlist: [] })).toBe(403);
});

test.each([
	[{ pid: '456' }, ['456'], 'accepted'],
	[{ pid: 456 }, ['456'], 'accepted'],
	[{ pid: '999' }, ['456'], 'dropped'],
	[{}, ['456'], 'dropped'],
	[{ pid: '999' }, [], 'accepted'],
])('%j for the companies %j: %s', (body, companyIds, expected) => {
	expect(outcome({ body }, { companyIds })).toBe(expected);
});

test.each<[string, BufferEncoding | undefined]>([
	['\uFEFF{"pid":12345678901234567}', undefined],
	['{"pid":12345678901234567}', 'utf16le'],
	['{"pid":12345678901234567,"nick":"é"}', 'latin1'],
])('a company ID beyond 2^53 is compared by its digits: %j, %s', (text, encoding) => {
	const body = JSON.parse(text.replace('\uFEFF', '')) as unknown;
	const more = { body, rawBody: Buffer.from(text, encoding), encoding };
	expect(outcome(more, { companyIds: ['12345678901234567'] })).toBe('accepted');
	expect(outcome(more, { companyIds: [String(12345678901234567)] })).toBe('dropped');
});

test.each([true, false])('the delivery key is the one that the workflow sees: simplify %j', (simplify) => {
	const deliveryKey = deliveryKeyOf(BODY);
	const reception = receivePush(request(), settings({ simplify }));
	expect(reception).toEqual(expect.objectContaining({ kind: 'accepted', deliveryKey }));
	expect(reception.kind === 'accepted' && reception.json.deliveryKey).toBe(
		simplify ? deliveryKey : undefined,
	);
});

test('raw: the body as it arrived, a copy of it', () => {
	const reception = receivePush(request(), settings({ simplify: false }));
	expect(reception).toEqual({ kind: 'accepted', json: BODY, deliveryKey: deliveryKeyOf(BODY) });
	expect(reception.kind === 'accepted' && reception.json).not.toBe(BODY);
});
