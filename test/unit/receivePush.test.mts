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
const never = () => false;
const outcome = (more: Partial<PushRequest>, set: Partial<TriggerSettings> = {}, isRedelivery = never) => {
	const reception = receivePush(request(more), settings(set), isRedelivery);
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

describe('redeliveries', () => {
	const redeliveryWindowMs = 1000;

	test('are dropped, by the delivery key that the workflow sees', () => {
		const asked: string[] = [];
		const isRedelivery = (key: string) => asked.push(key) > 1;
		const first = receivePush(request(), settings({ redeliveryWindowMs }), isRedelivery);
		expect(first).toEqual(expect.objectContaining({ kind: 'accepted', deliveryKey: deliveryKeyOf(BODY) }));
		expect(first.kind === 'accepted' && first.json.deliveryKey).toBe(deliveryKeyOf(BODY));
		expect(receivePush(request(), settings({ redeliveryWindowMs }), isRedelivery)).toEqual({
			kind: 'dropped',
			reason: 'it is a redelivery',
		});
		expect(asked).toEqual([deliveryKeyOf(BODY), deliveryKeyOf(BODY)]);
	});

	test('of other companies, or where no window is set, nobody asks for', () => {
		const isRedelivery = () => {
			throw new Error('asked');
		};
		expect(outcome({}, { redeliveryWindowMs, companyIds: ['999'] }, isRedelivery)).toBe('dropped');
		expect(outcome({}, {}, isRedelivery)).toBe('accepted');
	});
});

test('raw: the body as it arrived, a copy of it', () => {
	const reception = receivePush(request(), settings({ simplify: false }), never);
	expect(reception).toEqual({ kind: 'accepted', json: BODY });
	expect(reception.kind === 'accepted' && reception.json).not.toBe(BODY);
});
