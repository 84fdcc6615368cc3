// A batch of customers against a Sobot in simulated time.
import type { HttpAnswer } from '../../nodes/sobot/answer';
import { deliver, type Delivered, type Route } from '../../nodes/sobot/delivery';
import type { Token } from '../../nodes/sobot/account';
import { TokenError } from '../../nodes/sobot/tokenApi';
import { Pace } from '../../nodes/sobot/pace';
import { TokenSession, type TokenStore } from '../../nodes/sobot/tokenSession';
import { SimulatedClock } from './clock.mts';

const DAY_MS = 86_400_000;
const bodies = (count: number) => Array.from({ length: count }, (_, i) => `{"Contact_id":"${i}"}`);
const code = (retCode: string, statusCode = retCode.startsWith('91') ? 400 : 200): HttpAnswer => ({
	statusCode,
	body: JSON.stringify({ ret_code: retCode }),
});
const failure = (name: string, syscall?: string) =>
	Object.assign(new Error('failed'), { code: name, syscall });

/** Sobot with a strict limit, 30 ms away, and n8n's database. */
class Sobot implements TokenStore {
	alive = 't0';
	stored: Token | undefined;
	tokenCalls = 0;
	tokenError: Error | undefined;
	/** 910024 beyond this many in a second */
	limit = 50;
	workMs = 0;
	/** what to answer a body with, instead of carrying it out; undefined to carry it out */
	misbehave: (body: string, call: number) => HttpAnswer | Error | undefined = () => undefined;
	readonly calls: Array<{ atMs: number; body: string; token: string }> = [];
	readonly accepted: string[] = [];
	underWay = 0;
	mostUnderWay = 0;
	private readonly windowMs: number[] = [];

	constructor(readonly clock: SimulatedClock) {}

	token(value: string): Token {
		return { value, fetchedAtMs: this.clock.nowMs(), expiresAtMs: this.clock.nowMs() + DAY_MS };
	}

	async read(): Promise<Token | undefined> {
		return this.stored;
	}

	async renew(): Promise<Token> {
		this.tokenCalls++;
		await this.clock.sleep(50);
		if (this.tokenError) throw this.tokenError;
		this.alive = `t${this.tokenCalls}`;
		this.stored = this.token(this.alive);
		return this.stored;
	}

	async send(token: string, body: string): Promise<HttpAnswer> {
		this.calls.push({ atMs: this.clock.nowMs(), body, token });
		this.mostUnderWay = Math.max(this.mostUnderWay, ++this.underWay);
		try {
			await this.clock.sleep(30);
			return await this.answer(token, body);
		} finally {
			this.underWay--;
		}
	}

	private async answer(token: string, body: string): Promise<HttpAnswer> {
		const misbehaviour = this.misbehave(body, this.calls.length);
		if (misbehaviour instanceof Error) throw misbehaviour;
		if (misbehaviour) return misbehaviour;
		const nowMs = this.clock.nowMs();
		while (this.windowMs[0] !== undefined && this.windowMs[0] <= nowMs - 1000) this.windowMs.shift();
		if (this.windowMs.length >= this.limit) return code('910024');
		this.windowMs.push(nowMs);
		if (token !== this.alive) return code('900002');
		this.accepted.push(body);
		await this.clock.sleep(this.workMs);
		return code('000000');
	}
}

function setUp(more: Partial<Route> = {}) {
	const clock = new SimulatedClock();
	const sobot = new Sobot(clock);
	sobot.stored = sobot.token('t0');
	const session = new TokenSession(clock);
	session.begin(sobot.stored);
	const route: Route = {
		pace: new Pace(clock),
		session,
		store: sobot,
		send: async (token, body) => await sobot.send(token, body),
		clock,
		requestsPerSecond: 50,
		giveUpAfterSeconds: 300,
		stopOnFailure: false,
		...more,
	};
	const run = async (count: number): Promise<Delivered[]> => {
		// The token is older than the batch.
		await clock.advance(1000);
		return await clock.run(deliver(bodies(count), route));
	};
	return { clock, sobot, session, route, run };
}

const outcomes = (delivered: readonly Delivered[]) => delivered.map(({ verdict }) => verdict?.outcome);
const all = (count: number) => Array<string>(count).fill('accepted');

test('delivers each exactly once, in order, with one token', async () => {
	const { sobot, run } = setUp();
	expect(outcomes(await run(200))).toEqual(all(200));
	expect(sobot.accepted).toEqual(bodies(200));
	expect(sobot.tokenCalls).toBe(0);
});

test('calls overlap: a Sobot that takes a second to answer still gets its 50 a second', async () => {
	const { sobot, clock, run } = setUp();
	sobot.workMs = 1000;
	const startMs = clock.nowMs();
	expect(outcomes(await run(1000))).toEqual(all(1000));
	expect((clock.nowMs() - startMs) / 1000).toBeLessThan(1000 / 48 + 3);
	expect(sobot.mostUnderWay).toBeGreaterThan(45);
});

test('what is under way does not grow with the batch', async () => {
	const { sobot, run } = setUp();
	sobot.workMs = 500;
	await run(5000);
	expect(sobot.mostUnderWay).toBeLessThan(40);
});

describe('a token that dies in the middle', () => {
	test('is renewed once, and every item goes through', async () => {
		const { sobot, run } = setUp();
		sobot.misbehave = (_, call) => {
			if (call === 100) sobot.alive = 'killed';
			return undefined;
		};
		expect(outcomes(await run(500))).toEqual(all(500));
		expect(sobot.accepted.length).toBe(500);
		expect(sobot.tokenCalls).toBe(1);
		// Only what was under way at that moment is wasted.
		expect(sobot.calls.length).toBeLessThan(510);
	});

	test('with two batches at once costs one renewal too', async () => {
		const { clock, sobot, route } = setUp();
		sobot.alive = 'killed';
		await clock.advance(1000);
		const both = Promise.all([deliver(bodies(300), route), deliver(bodies(300), route)]);
		const [first, second] = await clock.run(both);
		expect([...outcomes(first), ...outcomes(second)]).toEqual(all(600));
		expect(sobot.tokenCalls).toBe(1);
	});

	test('and that another process has replaced costs none', async () => {
		const { clock, sobot, run } = setUp();
		await clock.advance(10);
		sobot.alive = 'theirs';
		sobot.stored = sobot.token('theirs');
		expect(outcomes(await run(100))).toEqual(all(100));
		expect(sobot.tokenCalls).toBe(0);
	});

	test('is given up after two renewals for an item', async () => {
		const { sobot, run } = setUp();
		sobot.misbehave = () => code('900002');
		expect(await run(1)).toEqual([{ verdict: expect.objectContaining({ retCode: '900002' }) as object }]);
		expect(sobot.tokenCalls).toBe(2);
		expect(sobot.calls.length).toBe(3);
	});
});

describe('910022', () => {
	test('renews a token that this batch did not fetch, and then blames the canvas', async () => {
		const { sobot, run } = setUp();
		sobot.misbehave = () => code('910022');
		expect((await run(30)).map(({ verdict }) => verdict?.retCode)).toEqual(Array(30).fill('910022'));
		expect(sobot.tokenCalls).toBe(1);
	});

	test('does not renew a token that this batch has fetched', async () => {
		const { sobot, run } = setUp();
		sobot.alive = 'killed';
		sobot.misbehave = (_, call) => (call > 1 ? code('910022') : undefined);
		expect((await run(1)).map(({ verdict }) => verdict?.retCode)).toEqual(['910022']);
		expect(sobot.tokenCalls).toBe(1);
	});
});

describe('get_token fails', () => {
	test('for good: no item is sent, and it is not asked again for each', async () => {
		const { sobot, run } = setUp();
		sobot.alive = 'killed';
		sobot.tokenError = new TokenError(
			'Sobot did not accept the signature (900003).',
			'Check.',
			'900003',
			false,
		);
		const delivered = await run(100);
		expect(delivered.map(({ verdict }) => verdict?.retCode)).toEqual(Array(100).fill('900003'));
		expect(sobot.accepted).toEqual([]);
		expect(sobot.tokenCalls).toBeLessThanOrEqual(2);
	});

	test('in passing: it is asked again after a pause, and nobody is left out', async () => {
		const { clock, sobot, run } = setUp();
		sobot.alive = 'killed';
		sobot.tokenError = new TokenError('down', '', null, true);
		const startMs = clock.nowMs();
		const delivering = run(50);
		void clock.sleep(10_000).then(() => (sobot.tokenError = undefined));
		expect(outcomes(await delivering)).toEqual(all(50));
		expect(clock.nowMs() - startMs).toBeGreaterThan(10_000);
		expect(sobot.accepted.length).toBe(50);
		expect(sobot.tokenCalls).toBeLessThan(10);
	});

	test('in passing, of an account that never had a token: said at once', async () => {
		const { clock, sobot, run, route } = setUp();
		route.session = new TokenSession(clock);
		sobot.stored = undefined;
		sobot.tokenError = new TokenError('down', '', null, true);
		const startMs = clock.nowMs();
		expect((await run(1)).map(({ verdict }) => verdict?.message)).toEqual(['down']);
		expect(clock.nowMs() - startMs).toBeLessThan(2000);
	});

	test('in passing, for longer than Give Up After: everybody has its words, together', async () => {
		const { clock, sobot, run } = setUp();
		sobot.alive = 'killed';
		sobot.tokenError = new TokenError('down', '', null, true);
		const startMs = clock.nowMs();
		const delivered = await run(50);
		expect(delivered.map(({ verdict }) => verdict?.message)).toEqual(Array(50).fill('down'));
		expect(clock.nowMs() - startMs).toBeLessThan(400_000);
		expect(sobot.accepted).toEqual([]);
	});
});

describe('over the limit', () => {
	test('5 % refused at random: each is delivered once', async () => {
		const { sobot, run } = setUp();
		sobot.misbehave = (_, call) => (call % 20 === 0 ? code('910024') : undefined);
		expect(outcomes(await run(500))).toEqual(all(500));
		expect(sobot.accepted.length).toBe(500);
	});

	test('with only 20 a second left: at least 0.85 of it, and nothing is lost', async () => {
		const { sobot, clock, run } = setUp();
		sobot.limit = 20;
		const startMs = clock.nowMs();
		expect(outcomes(await run(1000))).toEqual(all(1000));
		expect(1000 / ((clock.nowMs() - startMs) / 1000) / 20).toBeGreaterThan(0.85);
	});

	test('is given up after giveUpAfter, with its last code', async () => {
		const { sobot, clock, run } = setUp({ giveUpAfterSeconds: 60 });
		sobot.misbehave = () => code('910024');
		const startMs = clock.nowMs();
		const delivered = await run(3);
		expect(delivered.map(({ verdict }) => verdict?.retCode)).toEqual(Array(3).fill('910024'));
		const seconds = (clock.nowMs() - startMs) / 1000;
		expect(seconds).toBeGreaterThanOrEqual(60);
		expect(seconds).toBeLessThan(80);
	});
});

describe('unreachable', () => {
	test('for 20 s: waits with growing pauses instead of hammering, then delivers each once', async () => {
		const { sobot, clock, run } = setUp();
		const endMs = clock.nowMs() + 21_000;
		sobot.misbehave = () => (clock.nowMs() < endMs ? failure('ECONNREFUSED', 'connect') : undefined);
		expect(outcomes(await run(100))).toEqual(all(100));
		expect(sobot.accepted.length).toBe(100);
		expect(sobot.calls.filter(({ atMs }) => atMs < endMs).length).toBeLessThan(30);
	});

	test('for longer than giveUpAfter: each item says so', async () => {
		const { sobot, run } = setUp({ giveUpAfterSeconds: 5 });
		sobot.misbehave = () => failure('ENOTFOUND', 'getaddrinfo');
		const delivered = await run(3);
		expect(outcomes(delivered)).toEqual(Array(3).fill('unreachable'));
		expect(delivered[0]?.verdict?.message).toBe("Sobot's host name is not known.");
	});
});

// The decision table, row by row: is a call that ended like this sent again?
test.each<[string, HttpAnswer | Error, boolean]>([
	['000000', code('000000'), false],
	['900001', code('900001'), true],
	['900002', code('900002'), true],
	['900003', code('900003'), false],
	['900004', code('900004'), false],
	['999999', code('999999'), false],
	['910021', code('910021'), false],
	['910022', code('910022'), true],
	['910023', code('910023'), false],
	['910024', code('910024'), true],
	['910025', code('910025'), false],
	['910026', code('910026'), false],
	['a code that is not documented', code('123456'), false],
	['910024 with HTTP 503', code('910024', 503), false],
	['HTTP 500', { statusCode: 500, body: '' }, false],
	['HTML', { statusCode: 200, body: '<html>' }, false],
	['an empty body', { statusCode: 200, body: '' }, false],
	['a refused connection', failure('ECONNREFUSED', 'connect'), true],
	['an unknown host', failure('ENOTFOUND', 'getaddrinfo'), true],
	['a lookup that failed', failure('EAI_AGAIN', 'getaddrinfo'), true],
	['no connection in time', failure('ETIMEDOUT', 'connect'), true],
	['no answer in time', failure('ECONNABORTED'), false],
	['a reset after sending', failure('ECONNRESET', 'read'), false],
	['a broken pipe', failure('EPIPE', 'write'), false],
	['a bad certificate', failure('CERT_HAS_EXPIRED'), false],
	['an error without a name', new Error('?'), false],
])('after %s', async (_, ending, isSentAgain) => {
	const { sobot, run } = setUp();
	sobot.misbehave = (__, call) => (call === 1 ? ending : undefined);
	await run(1);
	expect(sobot.calls.length).toBe(isSentAgain ? 2 : 1);
});

test('when the node is to stop: nothing new is sent after a failure, and what is under way is waited for', async () => {
	const { sobot, run } = setUp({ stopOnFailure: true });
	sobot.workMs = 2000;
	sobot.misbehave = (body) => (body === bodies(11)[10] ? code('910026') : undefined);
	const delivered = await run(100);
	const sent = sobot.calls.length;
	expect(sent).toBeLessThan(20);
	expect(outcomes(delivered).slice(0, sent)).toEqual([...all(10), 'refused', ...all(sent - 11)]);
	expect(outcomes(delivered).slice(sent)).toEqual(Array(100 - sent).fill(undefined));
	expect(sobot.underWay).toBe(0);
});

test.each<[string, (sobot: Sobot) => void]>([
	['for its turn', () => undefined],
	['for its next try', (sobot) => (sobot.misbehave = () => code('910024'))],
	['for Sobot to be reachable', (sobot) => (sobot.misbehave = () => failure('ECONNREFUSED', 'connect'))],
	[
		'for a token',
		(sobot) => {
			sobot.alive = 'killed';
			sobot.renew = async () => await new Promise(() => undefined);
		},
	],
])(
	'a stop ends the batch within a second while it waits %s, and nothing more goes out',
	async (_, prepare) => {
		const stop = new AbortController();
		const { sobot, clock, route } = setUp({ stop: stop.signal });
		prepare(sobot);
		await clock.advance(1000);
		const running = deliver(bodies(10_000), route);
		await clock.advance(5000);
		stop.abort();
		const sent = sobot.calls.length;
		expect(sent).toBeGreaterThan(0);
		await clock.run(running, 1000);
		await clock.advance(60_000);
		expect(sobot.calls.length).toBe(sent);
	},
);
