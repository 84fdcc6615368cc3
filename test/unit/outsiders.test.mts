// What an attack from outside has found: spoiled identifiers, odd forms from n8n's API, and pushes that wait.
import { bodyFromFields } from '../../nodes/SobotRuleEngine/canvas/customerBody';
import { spoiledIdentifier } from '../../nodes/SobotRuleEngine/canvas/identifier';
import { withExactNumbers } from '../../nodes/SobotWebhookApp/exactNumbers';
import { deliveryKeyOf } from '../../nodes/SobotWebhookApp/parsePush';
import { readBaseUrl } from '../../nodes/sobot/account/baseUrl';
import { fingerprintsOf, misplacedSecrets } from '../../nodes/sobot/account/canvasFingerprints';
import { readCanvases } from '../../nodes/sobot/account/canvasRows';
import { judgeError } from '../../nodes/sobot/outcome/verdict';
import { PushMemory } from '../../nodes/sobot/push/pushMemory';
import { SimulatedClock } from '../support/clock.mts';
import { chosenPort, freePort } from '../support/freePort.mts';

describe('numbers of a push', () => {
	test.each([20_000, 40_000, 80_000])(
		'a fraction with %i zeros within does not block the process',
		(zeros) => {
			const json = `{"a":0.1${'0'.repeat(zeros)}1}`;
			const start = performance.now();
			withExactNumbers(json, JSON.parse(json) as unknown);
			expect(performance.now() - start).toBeLessThan(50);
		},
	);
});

describe('a spoiled identifier that passes', () => {
	test.each([
		// Excel's comma style, and the same with decimals
		'12,345,678.00',
		'1,234,567.00',
		// Excel in India
		'12,34,56,789',
		'1,23,45,678',
		// Excel in Germany, Switzerland
		'12.345.678,00',
		// what autocorrect makes of an apostrophe in front
		'‘00123',
		// an apostrophe in front of a phone number, the usual trick
		"'+8613812345678",
		"'12-345",
		// CSV escaped twice
		'""123""',
		'"""123"""',
		// missing values of Python, pandas, PostgreSQL, Excel
		'nan',
		'<NA>',
		'[null]',
		'(null)',
		'N/A',
		'n/a',
		'Cundefined',
		'C-undefined',
		'C-NaN',
		// mixed
		'4٫40981E+17',
		'44.0981E+16',
		'4.4E+5',
	])('%s', (text) => {
		expect(spoiledIdentifier(text)).toBeDefined();
	});
});

describe('a legitimate text that is refused', () => {
	test.each([
		'#SALE!',
		'#METOO?',
		'#BLACKFRIDAY!',
		'#VIP!',
		'#2027!',
		'NV',
		// Persian: plural of a Latin word, ordinal of Latin digits
		'SMS\u200cها',
		'PDF\u200cهای بهار',
		'1405\u200cام',
		'«بهار»\u200cها',
		// Bengali RAB, Malayalam chillu at the end
		'র\u200d্যাব',
		'അവന\u0d4d\u200d',
		'©\ufe0f',
		'👁\ufe0f\u200d🗨\ufe0f',
		'👨\u200d👩\u200d👧',
		'🧑🏽\u200d🤝\u200d🧑🏿',
		'▶\ufe0e',
		'ᠠ\u180b',
		'1E+17A',
	])('%s', (text) => {
		expect(spoiledIdentifier(text)).toBeUndefined();
	});
});

describe('a body that cannot be sent', () => {
	test.each([NaN, Infinity])('%s is not sent as null without a word', (value) => {
		expect(
			bodyFromFields({
				contactIdField: 'Contact_id',
				contactId: '1',
				nick: 'a',
				additional: [{ name: 'order', value }],
			}),
		).toHaveProperty('reason');
	});
});

describe('Base URL with an empty query or fragment, or a password', () => {
	test.each([
		'https://sobot.example.com?',
		'https://sobot.example.com#',
		'https://:pw@sobot.example.com',
		'https://sobot.example.com/?',
	])('%s', (baseUrl) => {
		expect(readBaseUrl({ region: 'custom', baseUrl })).toHaveProperty('reason');
	});
});

describe('canvases of another shape', () => {
	const ID = '1234567890123456789';
	test.each([
		[{ triggerId: { value: ID }, secret: { value: 'x' } }],
		[{ name: ['Welcome'], triggerId: [ID], secret: ['x'] }],
		[{ triggerId: true, secret: {} }],
	])('%j is not an empty row', (row) => {
		expect(readCanvases({ canvases: { canvas: [row] } })).toHaveProperty('reason');
	});
	test.each([
		[{ name: 'Welcome', trigger_id: ID, secret: 'x' }],
		[{ name: 'Welcome', 'Trigger ID': ID, Secret: 'x' }],
		[{ name: 'Welcome', triggerId: ID, Secret: 'x' }],
	])('%j is refused with the right form', (row) => {
		expect(readCanvases({ canvases: { canvas: [row] } })).toHaveProperty(
			'reason',
			expect.stringContaining('"triggerId":'),
		);
	});
});

describe('fingerprints', () => {
	const row = (name: string, n: number) => ({
		name,
		triggerId: `123456789012345678${n}`,
		secret: `secret-${name}`,
	});
	const [A, B, C] = [row('A', 0), row('B', 1), row('C', 2)];
	const fields = (appKey: string, rows: object[]) => ({ appKey, canvases: { canvas: rows } });

	test('a row deleted together with a new App Key is found', () => {
		const before = fields('old', [A, B, C]);
		const after = {
			...fields('new', [
				{ ...B, secret: A.secret },
				{ ...C, secret: B.secret },
			]),
			canvasFingerprints: fingerprintsOf(before),
		};
		expect(misplacedSecrets(after)).toContain('holds the secret of');
	});
	test.each(['[1]', '[null]', '[{}]'])('stored %s does not end in a TypeError', (canvasFingerprints) => {
		expect(() => misplacedSecrets({ ...fields('k', [A]), canvasFingerprints })).not.toThrow();
	});
});

describe('TLS texts', () => {
	test.each([
		'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
		'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
		'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
		'ERR_SSL_WRONG_VERSION_NUMBER',
	])('%s comes from the server, which wants a certificate of ours', (code) => {
		const verdict = judgeError(Object.assign(new Error(code), { code }));
		expect(verdict.message).not.toContain("Sobot's TLS certificate was not accepted");
	});
	test.each([
		'INVALID_CA',
		'INVALID_PURPOSE',
		'HOSTNAME_MISMATCH',
		'PATH_LENGTH_EXCEEDED',
		'UNABLE_TO_GET_CRL',
	])('%s is a certificate error of Node', (code) => {
		expect(judgeError(Object.assign(new Error(code), { code })).outcome).toBe('notSent');
	});
});

describe('pending pushes', () => {
	const MIN = 60_000;
	const key = deliveryKeyOf({ id: '1' });
	let clock: SimulatedClock;
	beforeEach(() => (clock = new SimulatedClock()));

	test('a repeat of a push that n8n never answers is let through in the end', async () => {
		const memory = new PushMemory(clock);
		await memory.letThrough(key, {}, 10 * MIN);
		const state = { second: 'waiting', third: 'waiting' };
		await clock.advance(MIN);
		void memory.letThrough(key, {}, 10 * MIN).then((v) => (state.second = v ? 'runs' : 'dropped'));
		await clock.advance(6 * MIN);
		void memory.letThrough(key, {}, 10 * MIN).then((v) => (state.third = v ? 'runs' : 'dropped'));
		await clock.advance(60 * MIN);
		expect(Object.values(state)).toContain('runs');
	});

	test('a repeat never sleeps for longer than a timer can, however long the window is', async () => {
		const slept: number[] = [];
		const sleep = clock.sleep.bind(clock);
		clock.sleep = async (ms) => {
			slept.push(ms);
			await sleep(ms);
		};
		const memory = new PushMemory(clock);
		const first = await memory.letThrough(key, {}, 100_000 * MIN);
		const repeat = memory.letThrough(key, {}, 100_000 * MIN);
		await clock.advance(25 * MIN);
		first?.(true);
		expect(await clock.run(repeat)).toBeUndefined();
		expect(slept.length).toBeGreaterThan(1);
		expect(Math.max(...slept)).toBeLessThan(2 ** 31);
	});

	test('three repeats, the first fails: one only takes its place', async () => {
		const memory = new PushMemory(clock);
		const first = await memory.letThrough(key, {}, 10 * MIN);
		const seen: Array<((ok: boolean) => void) | undefined> = [];
		for (let i = 0; i < 3; i++) void memory.letThrough(key, {}, 10 * MIN).then((v) => seen.push(v));
		await clock.advance(1000);
		expect(seen).toHaveLength(0);
		first?.(false);
		await clock.advance(1000);
		expect(seen).toHaveLength(1);
		seen[0]?.(false);
		await clock.advance(1000);
		expect(seen).toHaveLength(2);
		seen[1]?.(true);
		await clock.advance(1000);
		expect(seen).toEqual([expect.any(Function), expect.any(Function), undefined]);
	});
});

describe('the ports of the demo', () => {
	const { N8N_PORT } = process.env;
	afterEach(() => {
		if (N8N_PORT === undefined) delete process.env.N8N_PORT;
		else process.env.N8N_PORT = N8N_PORT;
	});
	test.each(['abc', '70000', '-1', '1.5'])('N8N_PORT=%s is refused, and the variable named', async (port) => {
		process.env.N8N_PORT = port;
		await expect(chosenPort('N8N_PORT', 5678)).rejects.toThrow(/N8N_PORT/);
	});
	test('an empty N8N_PORT is like none', async () => {
		process.env.N8N_PORT = '';
		const free = await freePort();
		expect(await chosenPort('N8N_PORT', free)).toBe(free);
	});
});

test('a rule against full-width digits does not block the process', () => {
	const start = performance.now();
	spoiledIdentifier(`${'１'.repeat(30_000)}x`);
	expect(performance.now() - start).toBeLessThan(100);
});

test.each(['http://127.0.0.1:0'])('Base URL %s has no port to connect to', (baseUrl) => {
	expect(readBaseUrl({ region: 'custom', baseUrl })).toHaveProperty('reason');
});

test('a new App Key does not make misplaced secrets the right ones for good', () => {
	const rows = (...list: object[]) => ({ canvases: { canvas: list } });
	const [a, b, c] = ['a', 'b', 'c'].map((name, i) => ({
		name,
		triggerId: `123456789012345678${i}`,
		secret: `s-${name}`,
	}));
	const before = fingerprintsOf({ appKey: 'old', ...rows({ ...a }, { ...b }, { ...c }) });
	const shifted = rows({ ...b, secret: a?.secret }, { ...c, secret: b?.secret });
	const tested = { appKey: 'new', ...shifted, canvasFingerprints: before };
	const after = { appKey: 'old', ...shifted, canvasFingerprints: fingerprintsOf(tested) };
	// Found with the right App Key, had nobody tested with the new one.
	expect(misplacedSecrets({ ...after, canvasFingerprints: before })).toBeDefined();
	expect(misplacedSecrets({ ...after, appKey: 'new' })).toBeDefined();
});
