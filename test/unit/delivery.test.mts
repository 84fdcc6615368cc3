// A batch of customers against a Sobot in simulated time.
import type { HttpAnswer } from '../../nodes/sobot/outcome/answer';
import type { Token } from '../../nodes/sobot/account/account';
import { CanvasTrust } from '../../nodes/sobot/canvas/canvasTrust';
import { newCustomer, resultOf, type Customer } from '../../nodes/sobot/outcome/customer';
import { deliver, type DeliveryOptions } from '../../nodes/sobot/delivery/delivery';
import { RateLimiter } from '../../nodes/sobot/canvas/rateLimiter';
import { TokenError } from '../../nodes/sobot/token/tokenApi';
import { TokenSession, type TokenStore } from '../../nodes/sobot/token/tokenSession';
import { SimulatedClock } from '../support/clock.mts';

jest.setTimeout(20_000);

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
	deadTokenCode = '900002';
	workMs = 0;
	/** what to answer a body with, instead of carrying it out; undefined to carry it out */
	misbehave: (body: string, call: number) => HttpAnswer | Error | undefined = () => undefined;
	readonly calls: Array<{ atMs: number; body: string; token: string }> = [];
	readonly accepted: string[] = [];
	inFlight = 0;
	mostInFlight = 0;
	private arrived = 0;
	private readonly windowMs: number[] = [];

	constructor(readonly clock: SimulatedClock) {}

	token(value: string): Token {
		return { value, fetchedAtMs: this.clock.epochMs(), expiresAtMs: this.clock.epochMs() + DAY_MS };
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
		this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
		try {
			await this.clock.sleep(30);
			return await this.answer(token, body);
		} finally {
			this.inFlight--;
		}
	}

	private async answer(token: string, body: string): Promise<HttpAnswer> {
		const misbehaviour = this.misbehave(body, ++this.arrived);
		if (misbehaviour instanceof Error) throw misbehaviour;
		if (misbehaviour) return misbehaviour;
		const nowMs = this.clock.nowMs();
		while (this.windowMs[0] !== undefined && this.windowMs[0] <= nowMs - 1000) this.windowMs.shift();
		if (this.windowMs.length >= this.limit) return code('910024');
		this.windowMs.push(nowMs);
		if (token !== this.alive) return code(this.deadTokenCode);
		this.accepted.push(body);
		await this.clock.sleep(this.workMs);
		return code('000000');
	}
}

type Options = { -readonly [Name in keyof DeliveryOptions]: DeliveryOptions[Name] };

function setUp(more: Partial<Options> = {}) {
	const clock = new SimulatedClock();
	const sobot = new Sobot(clock);
	sobot.stored = sobot.token('t0');
	const session = new TokenSession(clock);
	session.begin(sobot.stored);
	const options: Options = {
		rateLimiter: new RateLimiter(clock),
		session,
		store: sobot,
		trust: new CanvasTrust(clock),
		send: async (token, body) => await sobot.send(token, body),
		clock,
		batch: { stopsOnFailure: false, hasFailed: false },
		requestsPerSecond: 50,
		giveUpAfterSeconds: 300,
		unknownOutcome: 'fail',
		...more,
	};
	const start = (count: number) => {
		const customers: Customer[] = bodies(count).map((body) => newCustomer(body));
		return { customers, ended: deliver(customers, options) };
	};
	const run = async (count: number, withinMs?: number): Promise<Customer[]> => {
		// The token is older than the batch.
		await clock.advance(1000);
		const { customers, ended } = start(count);
		await clock.run(ended, withinMs);
		return customers;
	};
	return { clock, sobot, session, options, start, run };
}

const outcomes = (customers: readonly Customer[]) => customers.map((customer) => resultOf(customer)?.outcome);
const codes = (customers: readonly Customer[]) => customers.map((customer) => resultOf(customer)?.retCode);
const messages = (customers: readonly Customer[]) => customers.map((customer) => resultOf(customer)?.message);
const all = (count: number) => Array<string>(count).fill('accepted');

test('delivers each exactly once, in order, with one token', async () => {
	const { sobot, run } = setUp();
	expect(outcomes(await run(200))).toEqual(all(200));
	expect(sobot.accepted).toEqual(bodies(200));
	expect(sobot.tokenCalls).toBe(0);
});

test("a token that has died costs nobody, even if 'Give Up After' is 0", async () => {
	const { sobot, run } = setUp({ giveUpAfterSeconds: 0 });
	sobot.alive = 'another';
	expect(outcomes(await run(20))).toEqual(all(20));
	expect(sobot.tokenCalls).toBe(1);
});

test('calls overlap: a Sobot that takes a second to answer still gets its 50 a second', async () => {
	const { sobot, clock, run } = setUp();
	sobot.workMs = 1000;
	const startMs = clock.nowMs();
	expect(outcomes(await run(1000))).toEqual(all(1000));
	expect((clock.nowMs() - startMs) / 1000).toBeLessThan(1000 / 48 + 3);
	expect(sobot.mostInFlight).toBeGreaterThan(45);
});

test('calls in flight do not grow with the batch', async () => {
	const { sobot, run } = setUp();
	sobot.workMs = 500;
	await run(5000);
	expect(sobot.mostInFlight).toBeLessThan(40);
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
		// Only the calls in flight at that moment are wasted.
		expect(sobot.calls.length).toBeLessThan(510);
	});

	test('with two batches at once costs one renewal too', async () => {
		const { clock, sobot, start } = setUp();
		sobot.alive = 'killed';
		await clock.advance(1000);
		const [first, second] = [start(300), start(300)];
		await clock.run(Promise.all([first.ended, second.ended]));
		expect(outcomes([...first.customers, ...second.customers])).toEqual(all(600));
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

	test('because another program fetches one every second costs retries, never a customer', async () => {
		const { clock, sobot, run } = setUp();
		let isOver = false;
		const neighbor = async () => {
			while (!isOver) {
				await clock.sleep(1000);
				sobot.alive = 'theirs';
			}
		};
		void neighbor();
		expect(outcomes(await run(500))).toEqual(all(500));
		isOver = true;
		expect(new Set(sobot.accepted).size).toBe(500);
		expect(sobot.accepted.length).toBe(500);
	});

	test('whatever its replacement: the batch ends within Give Up After and a minute, and says so', async () => {
		const { clock, sobot, run } = setUp();
		sobot.misbehave = () => code('900002');
		const startMs = clock.nowMs();
		expect(new Set(codes(await run(1000)))).toEqual(new Set(['900002']));
		expect((clock.nowMs() - startMs) / 1000).toBeLessThan(361);
		expect(sobot.tokenCalls).toBeLessThanOrEqual(20);
	});
});

describe('910022', () => {
	test('blames the canvas after two new tokens, for all customers and all later batches', async () => {
		const { sobot, run } = setUp();
		sobot.misbehave = () => code('910022');
		expect(codes(await run(30))).toEqual(Array(30).fill('910022'));
		for (let i = 0; i < 100; i++) expect(codes(await run(1))).toEqual(['910022']);
		expect(sobot.tokenCalls).toBe(2);
	});

	test('renews a token that this batch has fetched and that died meanwhile', async () => {
		const { sobot, run } = setUp();
		sobot.deadTokenCode = '910022';
		sobot.alive = 'killed';
		sobot.misbehave = (_, call) => {
			if (call === 150) sobot.alive = 'killed again';
			return undefined;
		};
		expect(outcomes(await run(300))).toEqual(all(300));
		expect(sobot.tokenCalls).toBe(2);
	});

	test('is taken for a dead token where the canvas has accepted customers, however often', async () => {
		const { sobot, run } = setUp();
		sobot.deadTokenCode = '910022';
		sobot.misbehave = (_, call) => {
			if (call % 60 === 0) sobot.alive = 'theirs';
			return undefined;
		};
		expect(outcomes(await run(500))).toEqual(all(500));
	});
});

describe('get_token fails', () => {
	test('permanently: no item is sent, and it is not asked again for each', async () => {
		const { sobot, run } = setUp();
		sobot.alive = 'killed';
		sobot.tokenError = new TokenError(
			'Sobot did not accept the signature (900003).',
			'Check.',
			'900003',
			false,
		);
		expect(codes(await run(100))).toEqual(Array(100).fill('900003'));
		expect(sobot.accepted).toEqual([]);
		expect(sobot.tokenCalls).toBeLessThanOrEqual(2);
	});

	test.each([
		['a certificate that is not accepted', new TokenError('No.', '', null, false), 'notSent'],
		["a proxy's login", new TokenError('No.', '', null, false, 'unreachable'), 'unreachable'],
	] as const)('because of %s, at once: nobody is told that Sobot refused', async (_, error, outcome) => {
		const { sobot, run } = setUp();
		sobot.alive = 'killed';
		sobot.tokenError = error;
		expect(outcomes(await run(100))).toEqual(Array(100).fill(outcome));
		expect(sobot.tokenCalls).toBeLessThanOrEqual(2);
	});

	test('transiently: it is asked again after a pause, and nobody is left out', async () => {
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

	test('transiently, for an account that never had a token: reported at once, for all', async () => {
		const { clock, sobot, run, options } = setUp();
		options.session = new TokenSession(clock);
		sobot.stored = undefined;
		sobot.tokenError = new TokenError('down', '', null, true);
		const startMs = clock.nowMs();
		expect(messages(await run(1000))).toEqual(Array(1000).fill('down'));
		expect(clock.nowMs() - startMs).toBeLessThan(12_000);
		expect(sobot.tokenCalls).toBe(1);
	});

	test('transiently, for longer than Give Up After: all customers fail together with its message', async () => {
		const { clock, sobot, run } = setUp();
		sobot.alive = 'killed';
		sobot.tokenError = new TokenError('down', '', null, true);
		const startMs = clock.nowMs();
		expect(messages(await run(50))).toEqual(Array(50).fill('down'));
		expect(clock.nowMs() - startMs).toBeLessThan(361_000);
		expect(sobot.accepted).toEqual([]);
	});
});

test("n8n's database that is away for 5 s at a renewal holds the batch up, and nobody is left out", async () => {
	const { clock, sobot, run } = setUp();
	sobot.alive = 'killed';
	const endMs = clock.nowMs() + 6000;
	const { read, renew } = { read: sobot.read.bind(sobot), renew: sobot.renew.bind(sobot) };
	const away = async () => await Promise.reject(new Error('SQLITE_BUSY'));
	sobot.read = async () => (clock.nowMs() < endMs ? await away() : await read());
	sobot.renew = async () => (clock.nowMs() < endMs ? await away() : await renew());
	expect(outcomes(await run(500))).toEqual(all(500));
	expect(sobot.accepted.length).toBe(500);
});

test.each([-3_600_000, 3_600_000])(
	'a wall clock that jumps by %i ms in the middle holds nothing up',
	async (jumpMs) => {
		const { clock, start } = setUp();
		const startMs = clock.nowMs();
		const { customers, ended } = start(500);
		await clock.advance(5000);
		clock.wallOffsetMs = jumpMs;
		await clock.run(ended);
		expect(outcomes(customers)).toEqual(all(500));
		expect((clock.nowMs() - startMs) / 1000).toBeLessThan(12);
	},
);

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
		expect(codes(await run(3))).toEqual(Array(3).fill('910024'));
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
		const customers = await run(3);
		expect(outcomes(customers)).toEqual(Array(3).fill('unreachable'));
		expect(messages(customers)[0]).toBe("Sobot's host name is not known.");
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

test('when the node is to stop: nothing new is sent after a failure, and calls in flight are waited for', async () => {
	const { sobot, run } = setUp({ batch: { stopsOnFailure: true, hasFailed: false } });
	sobot.workMs = 2000;
	sobot.misbehave = (body) => (body === bodies(11)[10] ? code('910026') : undefined);
	const delivered = await run(100);
	const sent = sobot.calls.length;
	expect(sent).toBeLessThan(20);
	expect(outcomes(delivered).slice(0, sent)).toEqual([...all(10), 'refused', ...all(sent - 11)]);
	expect(outcomes(delivered).slice(sent)).toEqual(Array(100 - sent).fill(undefined));
	expect(sobot.inFlight).toBe(0);
});

test.each<[string, (sobot: Sobot) => void]>([
	['for its slot', () => undefined],
	['for its next try', (sobot) => (sobot.misbehave = () => code('910024'))],
	['for Sobot to be reachable', (sobot) => (sobot.misbehave = () => failure('ECONNREFUSED', 'connect'))],
	['for Sobot to answer clearly', (sobot) => (sobot.misbehave = () => code('999999'))],
	['for answers of a Sobot that hangs', (sobot) => (sobot.workMs = 3_600_000)],
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
		const { sobot, clock, start } = setUp({ signal: stop.signal });
		prepare(sobot);
		await clock.advance(1000);
		const { ended } = start(10_000);
		await clock.advance(5000);
		stop.abort();
		const sent = sobot.calls.length;
		expect(sent).toBeGreaterThan(0);
		await clock.run(ended, 1000);
		await clock.advance(60_000);
		expect(sobot.calls.length).toBe(sent);
	},
);

test('after a stop, the customers whose calls are in flight can be told from those who were never sent', async () => {
	const stop = new AbortController();
	const { sobot, clock, start } = setUp({ signal: stop.signal });
	sobot.workMs = 1000;
	const { customers, ended } = start(200);
	await clock.advance(2000);
	stop.abort();
	const inFlight = customers.filter(({ known }) => known === 'inDoubt').length;
	const accepted = customers.filter((one) => resultOf(one)?.outcome === 'accepted').length;
	expect(inFlight).toBeGreaterThan(40);
	expect(accepted).toBeGreaterThan(40);
	expect(inFlight + accepted).toBe(sobot.calls.length);
	await clock.run(ended, 1000);
});

describe('an outage', () => {
	const noAnswer = async (clock: SimulatedClock, ms: number): Promise<never> => {
		await clock.sleep(ms);
		throw failure('ECONNABORTED');
	};

	test.each([
		[true, 100],
		[false, 140],
	])('Sobot hangs, with stop on failure %s: at most %i customers in doubt', async (stopsOnFailure, most) => {
		const { clock, options, run } = setUp({ batch: { stopsOnFailure, hasFailed: false } });
		options.send = async () => await noAnswer(clock, 30_000);
		const startMs = clock.nowMs();
		const customers = await run(5000);
		expect(outcomes(customers).filter((one) => one === 'unknown').length).toBeLessThanOrEqual(most);
		expect(outcomes(customers).filter((one) => one === 'accepted').length).toBe(0);
		expect((clock.nowMs() - startMs) / 1000).toBeLessThan(361);
	});

	test('5 minutes of 502: at most 150 customers in doubt, and nobody else is missed', async () => {
		const { clock, sobot, run } = setUp({ giveUpAfterSeconds: 600 });
		const endMs = clock.nowMs() + 300_000;
		sobot.misbehave = (_, call) =>
			call > 100 && clock.nowMs() < endMs ? { statusCode: 502, body: '<html>' } : undefined;
		const customers = await run(5000);
		const doubtful = outcomes(customers).filter((one) => one === 'unknown').length;
		expect(doubtful).toBeLessThanOrEqual(150);
		expect(sobot.accepted.length).toBe(5000 - doubtful);
	});

	test('502 without an end: the rest is reported as not sent, within Give Up After and a minute', async () => {
		const { clock, sobot, run } = setUp();
		sobot.misbehave = () => ({ statusCode: 502, body: '<html>' });
		const startMs = clock.nowMs();
		const customers = await run(1000);
		expect((clock.nowMs() - startMs) / 1000).toBeLessThan(361);
		expect(new Set(outcomes(customers))).toEqual(new Set(['unknown', 'notSent']));
		expect(sobot.calls.length).toBeLessThan(60);
	});

	test.each<[string, HttpAnswer | Error]>([
		['unreachable', failure('ECONNREFUSED', 'connect')],
		['overLimit', code('910024')],
	])('%s without an end: 1,000 customers end within Give Up After and a minute', async (outcome, ending) => {
		const { clock, sobot, run } = setUp();
		sobot.misbehave = () => ending;
		const startMs = clock.nowMs();
		expect(outcomes(await run(1000))).toEqual(Array(1000).fill(outcome));
		expect((clock.nowMs() - startMs) / 1000).toBeLessThan(361);
	});

	test('single unclear answers do not slow a batch down', async () => {
		const { clock, sobot, run } = setUp();
		sobot.misbehave = (_, call) => (call % 30 === 0 ? { statusCode: 502, body: '' } : undefined);
		const startMs = clock.nowMs();
		await run(900);
		expect((clock.nowMs() - startMs) / 1000).toBeLessThan(22);
	});
});

describe('an unknown outcome', () => {
	test('may be sent again until Give Up After, if the user wants that', async () => {
		const { sobot, run } = setUp({ unknownOutcome: 'sendAgain', giveUpAfterSeconds: 60 });
		sobot.misbehave = (body, call) =>
			call <= 3 || body === bodies(9)[8] ? { statusCode: 502, body: '' } : undefined;
		expect(outcomes(await run(10))).toEqual([...all(8), 'unknown', ...all(1)]);
	});

	test('may count as sent: then it is no failure', async () => {
		const batch = { stopsOnFailure: true, hasFailed: false };
		const { sobot, run } = setUp({ unknownOutcome: 'treatAsSent', batch });
		sobot.misbehave = (body) => (body === bodies(5)[4] ? failure('ECONNABORTED') : undefined);
		expect(outcomes(await run(10))).toEqual([...all(4), 'unknown', ...all(5)]);
		expect(batch.hasFailed).toBe(false);
	});
});

test('a failure on one canvas ends the deliveries on the others', async () => {
	const batch = { stopsOnFailure: true, hasFailed: false };
	const one = setUp({ batch });
	const { clock } = one;
	const other = new Sobot(clock);
	other.stored = other.token('t0');
	one.sobot.misbehave = (_, call) => (call === 20 ? code('910025') : undefined);
	const customers = bodies(5000).map((body) => newCustomer(body));
	const options = {
		...one.options,
		rateLimiter: new RateLimiter(clock),
		trust: new CanvasTrust(clock),
		store: other,
	};
	const both = Promise.all([
		one.start(5000).ended,
		deliver(customers, { ...options, send: async (token, body) => await other.send(token, body) }),
	]);
	await clock.run(both);
	expect(other.accepted.length).toBeLessThan(40);
});

test('a fault in this package surfaces instead of being swallowed', async () => {
	const { options, start, clock } = setUp();
	options.trust.recordAccepted = () => {
		throw new Error('a fault');
	};
	const { ended } = start(3);
	await expect(clock.run(ended)).rejects.toThrow('a fault');
});

test('an accepted customer keeps no answer: one result object serves all', async () => {
	const { run } = setUp();
	expect(new Set((await run(100)).map((one) => resultOf(one))).size).toBe(1);
});

test('leaves no listener behind on the signal', async () => {
	const stop = new AbortController();
	const added = jest.spyOn(stop.signal, 'addEventListener');
	const removed = jest.spyOn(stop.signal, 'removeEventListener');
	const { run } = setUp({ signal: stop.signal });
	await run(20);
	expect(added.mock.calls.length).toBeGreaterThan(0);
	expect(removed.mock.calls.length).toBe(added.mock.calls.length);
});
