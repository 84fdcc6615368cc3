// What is promised after a failure, a crash and a fault of n8n's database: one short chain of executions for each promise, most of
// which was broken once. chains.test.mts tries many more, room.test.mts what happens once the table is full.
import { claimsOf } from '../../nodes/sobot/shared';
import {
	begin,
	chunks,
	CONTINUE,
	CREDENTIAL_AWAY,
	ERROR_OUTPUT,
	expectAll,
	filled,
	killedAfter,
	n8n,
	once,
	outcomes,
	retry,
	run,
	SEND_AGAIN,
	TREAT_AS_SENT,
	WITH_TEXT,
	withOwnN8n,
} from './faults.mts';
import { BY_ORDER, CANVASES, type Faults, type Item, type Settings, type TableCall } from './modelNode.mts';
import { customers, errorOf, toldBy, TOKEN, type Execution, type Kind } from './modelOfN8n.mts';
import { nameOf } from './modelTruth.mts';

withOwnN8n();

describe('Retry after a crash, since n8n 2.14', () => {
	test('sends the rest, and nobody twice', async () => {
		const crashed = await run(customers(100), {}, killedAfter(70));
		expect(crashed.state).toBe('crashed');
		expectAll(await retry(crashed, TREAT_AS_SENT), 100);
		expect(n8n.table.entries.join()).not.toContain(TOKEN);
	});

	test.each<[string, (items: Item[]) => Item[][], number]>([
		['in a loop', (items) => chunks(items, 40), 300],
		[
			'where a new row moves each batch of a loop',
			(items) => chunks([...customers(1, 'new'), ...items], 40),
			301,
		],
		['where the batches of a loop are smaller', (items) => chunks(items, 25), 300],
		['in another order', (items) => chunks(items.toReversed(), 40), 300],
	])('%s: nobody twice, nobody missing', async (_, listOf, count) => {
		const all = customers(300);
		const crashed = await n8n.run(n8n.execution(chunks(all, 40)), { faults: killedAfter(230) });
		const again = await retry(crashed, TREAT_AS_SENT, {}, listOf(all));
		expect(again.state).toBe('success');
		const told = again.ends.flatMap((end) => (end.kind === 'output' ? end.told : []));
		expect(told.length).toBe(count);
		expect(n8n.sobot.accepted.length).toBeGreaterThanOrEqual(count - 60);
	});

	test('sends those of each iteration as often as they come', async () => {
		const same = customers(60);
		const crashed = await n8n.run(n8n.execution([same, same, same]), { faults: killedAfter(150) });
		const again = await retry(crashed, TREAT_AS_SENT);
		expect(again.state).toBe('success');
		expect(n8n.sobot.accepted.length).toBeGreaterThan(140);
	});

	test("that finds n8n's database away says of nobody that they were not sent, and the next one sends the rest", async () => {
		const crashed = await run(customers(100), CONTINUE, killedAfter(70));
		const settings = { ...CONTINUE, options: { giveUpAfter: 0 } };
		const away = await retry(crashed, settings, { table: () => 'rejected' });
		expect(outcomes(away)).toEqual({ unknown: 100 });
		expectAll(await retry(crashed, TREAT_AS_SENT), 100);
	});

	test('that cannot read the credential says the same', async () => {
		const crashed = await run(customers(100), CONTINUE, killedAfter(70));
		expect(outcomes(await retry(crashed, CONTINUE, CREDENTIAL_AWAY))).toEqual({ unknown: 100 });
		expectAll(await retry(crashed, TREAT_AS_SENT), 100);
	});

	test('while the execution still runs, on another worker: nobody twice but those of one write, since the table has no lock', async () => {
		const execution = n8n.execution([customers(200)]);
		const running = n8n.begin(execution, { settings: TREAT_AS_SENT });
		await n8n.clock.advance(1500);
		await retry({ ...execution, state: 'crashed' }, TREAT_AS_SENT);
		await n8n.clock.run(running);
		expect(n8n.sobot.accepted.length).toBeLessThanOrEqual(225);
		expect(new Set(n8n.sobot.accepted.map(({ item }) => item.id)).size).toBe(200);
	});
});

describe('before n8n 2.14', () => {
	beforeEach(() => begin({ version: '1' }));

	test('Retry of an execution that failed sends the rest, and so does one of its killed Retry', async () => {
		const failed = await run(customers(100), {}, once('910026', 'c50'));
		const killed = await retry(failed, {}, killedAfter(80));
		expect([failed.state, killed.state]).toEqual(['error', 'crashed']);
		expectAll(await retry(killed, TREAT_AS_SENT), 100);
	});

	test('Retry after a crash sends everyone again, and with a text nobody', async () => {
		const crashed = await run(customers(100), {}, killedAfter(70));
		await retry(crashed);
		expect(n8n.sobot.accepted.length).toBeGreaterThan(165);
		const withText = await run(customers(100), WITH_TEXT, killedAfter(250));
		const again = await retry(withText, { ...WITH_TEXT, ...TREAT_AS_SENT });
		expect(outcomes(again).alreadySent).toBeGreaterThan(20);
	});

	test('a killed execution that n8n runs a second time sends the rest', async () => {
		const execution = await run(customers(100), TREAT_AS_SENT, killedAfter(30));
		await n8n.run(execution, { settings: TREAT_AS_SENT });
		expectAll(execution, 100);
		expect(outcomes(execution).alreadySent).toBeGreaterThan(0);
	});
});

describe('someone in doubt', () => {
	test('is not sent again, however often they are led back, and keeps nobody from being sent', async () => {
		begin({ version: '2', leadsBack: true });
		const execution = await run(customers(3), ERROR_OUTPUT, once('lost', 'c1'));
		expect(execution.ends.length).toBeGreaterThan(2);
		expect(n8n.sobot.accepted.length).toBe(3);
	});

	test('after a kill does not keep the others from being sent, with On Error: Stop', async () => {
		await run(customers(100), WITH_TEXT, killedAfter(30));
		const again = await run(customers(100), WITH_TEXT);
		expect(errorOf(again)).toMatch(/Another run was about to send this customer/);
		expect(n8n.sobot.accepted.length).toBeGreaterThan(70);
	});

	test('is not sent again either once a Retry has treated them as sent', async () => {
		begin({ version: '2', leadsBack: true });
		const left = new Map([
			['c0', 1],
			['c1', 2],
		]);
		const faults: Faults = {
			sobot: ({ id }) => {
				const times = left.get(id) ?? 0;
				left.set(id, times - 1);
				return times <= 0 ? 'accepted' : id === 'c0' ? 'lost' : '910026';
			},
		};
		const first = await run(customers(3), {}, faults);
		const second = await retry(first, TREAT_AS_SENT, faults);
		await retry(second, ERROR_OUTPUT, faults);
		expect(n8n.timesOnCanvas().get(nameOf(customers(1)[0] as Item))).toBe(1);
	});

	test("is sent once more with 'Send Again', and not again by another Retry", async () => {
		const failed = await run(customers(3), {}, once('lost', 'c1'));
		expect((await retry(failed, SEND_AGAIN)).state).toBe('success');
		// Other executions have made this process forget its latest customers.
		for (let i = 0; i < 6; i++) await run([...customers(1, `x${i}`)], { sendOncePer: `${i}` });
		expect(outcomes(await retry(failed, SEND_AGAIN))).toEqual({ accepted: 2, alreadySent: 1 });
		expect(n8n.timesOnCanvas().get(nameOf(customers(2)[1] as Item))).toBe(2);
	});
});

test('of one customer twice in a batch, the one who is refused and led back is sent once more', async () => {
	begin({ version: '2', leadsBack: true });
	const [one] = customers(1);
	const execution = await run([one as Item, one as Item], ERROR_OUTPUT, once('910026', 'c0'));
	expect([execution.state, execution.ends.length]).toEqual(['success', 2]);
	expect(n8n.timesOnCanvas().get(nameOf(one as Item))).toBe(2);
});

describe('a Retry that cannot tell who its items are, and leads them back into the loop', () => {
	test.each(['areOptionsUnreadable', 'isCredentialAway'] as const)('%s: nobody twice', async (fault) => {
		begin({ version: '2', leadsBack: true });
		const failed = await run(customers(2), {}, once('910026', 'c0'));
		let strikes = 0;
		const again = await retry(failed, ERROR_OUTPUT, { [fault]: () => strikes++ === 0 });
		expect([again.ends.length, again.state]).toEqual([2, 'success']);
		expect([strikes > 0, n8n.sobot.accepted.length]).toEqual([true, 2]);
	});
});

test('stopped in its first second, and retried at once: nobody leaves without being stored', async () => {
	const slowly: Settings = { options: { requestsPerSecond: 10, unknownOutcome: 'treatAsSent' } };
	const stopped = await run(customers(8), slowly, { isStopped: () => n8n.sobot.accepted.length >= 3 });
	const again = await n8n.run(n8n.retryOf(stopped), { settings: slowly });
	expect([stopped.state, again.state]).toEqual(['canceled', 'success']);
	expectAll(again, 8);
	await n8n.rest();
});

test("an agent's tool to which 'Send Once Per' is added before Retry sends nobody again, in whatever order they come", async () => {
	const [a, b, c] = customers(3).map((item) => [item]);
	const call = async (seed: number): Promise<Execution> => {
		begin({ version: '2', isTool: true }, undefined, seed);
		n8n.truth.hasTwoTexts = true;
		const execution = await n8n.run(n8n.execution([a ?? [], b ?? []]), { settings: {} });
		if (execution.state === 'error') return execution;
		// The agent has not failed.
		n8n.end();
		return await call(seed + 1);
	};
	const failed = await call(1);
	const stored = { ...failed.start, context: failed.stored?.context ?? {}, isFresh: false, iteration: 1 };
	expect(Object.keys(stored.context)).not.toEqual([]);
	const again = n8n.retryOf({ ...failed, state: 'error', stored });
	again.start = { ...again.start, batches: [c ?? [], a ?? [], b ?? []] };
	await n8n.run(again, { settings: WITH_TEXT });
	expect([...n8n.timesOnCanvas().values()]).toEqual([1, 1, 1]);
});

test('a customer in doubt with one order is sent with the next one, in a later iteration', async () => {
	begin({ version: '2' });
	const [customer] = customers(1);
	const orders = ['o1', 'o2', 'o3'].map((order) => [{ ...(customer as Item), order }]);
	await n8n.run(n8n.execution(orders), {
		settings: { sendOncePer: BY_ORDER, ...CONTINUE },
		faults: once('lost', 'c0'),
	});
	expect(n8n.sobot.accepted.map(({ item }) => item.order)).toEqual(['o1', 'o2', 'o3']);
});

describe('a campaign', () => {
	test('of which the first are forgotten is refused, whenever it was killed', async () => {
		const settings = { ...WITH_TEXT, ...CONTINUE };
		const isUnmarked = () => !n8n.table.entries.some((entry) => entry.startsWith('last'));
		const isKilled = () =>
			n8n.sobot.accepted.length >= 140 || (n8n.sobot.accepted.length > 100 && isUnmarked());
		expect((await run(customers(150), settings, { isKilled })).state).toBe('crashed');
		n8n.table.entries = n8n.table.entries.slice(60);
		const { length } = n8n.sobot.accepted;
		const again = await run(customers(150), settings);
		expect(n8n.sobot.accepted).toHaveLength(length);
		expect(outcomes(again).unknown).toBeGreaterThan(50);
	});

	test.each(['short', 'full'])(
		'of which the first are forgotten is refused, whichever answer of the table gets lost; it is %s',
		async (table) => {
			const settings = { ...WITH_TEXT, ...CONTINUE, options: { historySize: 1000 } };
			for (let at = 0; at < 9; at++) {
				begin();
				await run(customers(70), settings);
				n8n.table.entries = n8n.table.entries.slice(55);
				const missing = table === 'full' ? 5500 - n8n.table.entries.length : 0;
				n8n.table.entries = [...filled(missing), ...n8n.table.entries];
				n8n.truth.strikes('table forgets');
				const lost = ({ index }: TableCall) => (index === at ? 'lost' : 'stored');
				const again = n8n.execution([customers(70)]);
				await n8n.run(again, { settings, faults: { table: lost }, worker: 1 });
				expect([at, outcomes(again).accepted]).toEqual([at, undefined]);
				await n8n.rest();
			}
		},
	);

	test('of which the first are forgotten is refused, however often the answer about its first pair of markers gets lost', async () => {
		const settings = { ...WITH_TEXT, ...CONTINUE };
		await run(customers(70), settings);
		n8n.table.entries = n8n.table.entries.slice(55);
		n8n.truth.strikes('table forgets');
		const isAsked = (entry: string) => /^first .* 1$/.test(entry);
		let lost = 0;
		const table = ({ kind, entries }: TableCall) =>
			kind === 'add' && entries.some(isAsked) && lost++ < 3 ? 'lost' : 'stored';
		const again = n8n.execution([customers(70)]);
		await n8n.run(again, { settings, faults: { table }, worker: 1 });
		expect([lost, outcomes(again).accepted]).toEqual([4, undefined]);
	});

	test.each([0, 70])('of %i is not refused, whichever two answers of the table get lost', async (before) => {
		const settings = { ...WITH_TEXT, ...CONTINUE };
		for (let one = 0; one < 6; one++)
			for (let other = one + 1; other < 9; other++) {
				begin();
				await run(customers(before), settings);
				const lost = ({ index }: TableCall) => (index === one || index === other ? 'lost' : 'stored');
				await n8n.run(n8n.execution([customers(70)]), { settings, faults: { table: lost }, worker: 1 });
				await n8n.rest();
				const later = await run(customers(30, 'later'), settings);
				expect([one, other, outcomes(later)]).toEqual([one, other, { accepted: 30 }]);
			}
	});

	test('that begins while another worker overwrites the table can be finished', async () => {
		for (let seed = 1; seed <= 12; seed++) {
			begin({ version: '2' }, 50, seed);
			const send = (items: Item[], sendOncePer: string, worker: number) =>
				n8n.begin(n8n.execution([items]), { settings: { ...CONTINUE, sendOncePer }, worker });
			const other = send(customers(200, 'other'), 'autumn', 0);
			await n8n.clock.advance(1000 + seed * 37);
			await n8n.clock.run(send(customers(30), 'spring', 1));
			await n8n.clock.run(other);
			await n8n.rest();
			expect(outcomes(await run(customers(30, 'next'), { ...WITH_TEXT, ...CONTINUE }))).toEqual({
				accepted: 30,
			});
		}
	});

	test('that another worker has overwritten at its begin is not refused later', async () => {
		const SEEDS = 60;
		for (let seed = 1; seed <= SEEDS; seed++) {
			begin({ version: '2' }, 10, seed);
			const send = (items: Item[], sendOncePer: string, worker: number) =>
				n8n.begin(n8n.execution([items]), { settings: { ...CONTINUE, sendOncePer }, worker });
			await n8n.clock.run(send(customers(1, 'old'), 'old', 0));
			const other = send(customers(400, 'other'), 'autumn', 1);
			await n8n.clock.advance(1000 + seed * 37);
			await n8n.clock.run(send(customers(20), 'spring', 0));
			await n8n.clock.run(other);
			await n8n.clock.advance(3_600_000);
			const settings = { ...WITH_TEXT, ...CONTINUE };
			const later = await n8n.run(n8n.execution([customers(1, 'later')]), { settings, worker: 0 });
			expect([seed, outcomes(later)]).toEqual([seed, { accepted: 1 }]);
			n8n.end();
		}
		begin();
	});

	test('whose name is entered before Retry is known to later executions, also if nobody was left to send', async () => {
		n8n.truth.hasTwoTexts = true;
		const failed = await run(customers(2), {}, once('lost', 'c1'));
		const settings = { ...WITH_TEXT, ...CONTINUE, ...TREAT_AS_SENT };
		await retry(failed, settings);
		expect(outcomes(await run(customers(2), settings))).toEqual({ alreadySent: 1, unknown: 1 });
	});
});

describe('customers whom earlier tries have sent without the text of a campaign', () => {
	beforeEach(() => (n8n.truth.hasTwoTexts = true));

	test('belong to it: once they are forgotten, it is refused', async () => {
		const settings = { ...WITH_TEXT, ...CONTINUE };
		const failed = await run(customers(100), {}, once('910026', 'c90'));
		await retry(failed, settings);
		expect(n8n.sobot.accepted.length).toBe(100);
		n8n.table.entries = n8n.table.entries.slice(140);
		n8n.truth.strikes('table forgets');
		await run(customers(100), settings);
		expect(n8n.sobot.accepted.length).toBe(100);
	});

	test("are stored although n8n's database is away for longer than 'Give Up After'", async () => {
		const failed = await run(customers(30), {}, once('910026', 'c29'));
		const settings = { ...WITH_TEXT, ...CONTINUE, options: { giveUpAfter: 5 } };
		const untilMs = n8n.clock.nowMs() + 20_000;
		const away = () => (n8n.clock.nowMs() < untilMs ? 'rejected' : 'stored');
		expect(outcomes(await retry(failed, settings, { table: away }))).toEqual({ accepted: 29, unknown: 1 });
		expect(n8n.clock.nowMs()).toBeGreaterThan(untilMs);
		expect(outcomes(await run(customers(30), settings))).toEqual({ accepted: 1, alreadySent: 29 });
	});

	test("are stored although n8n's database fails once, and nobody is left to send", async () => {
		const failed = await run(customers(3), {}, once('lost', 'c2'));
		const settings = { ...WITH_TEXT, ...TREAT_AS_SENT };
		const fails: Faults = { table: ({ index }) => (index === 0 ? 'rejected' : 'stored') };
		expect((await retry(failed, settings, fails)).state).toBe('success');
		await run(customers(3), settings);
		expect(n8n.sobot.accepted.length).toBe(3);
	});
});

test("stopped in its first second, while n8n's database fails once: Retry sends nobody twice", async () => {
	const isStopped = () => n8n.sobot.accepted.length >= 15;
	const fails = ({ index }: TableCall) => (index === 0 ? 'rejected' : 'stored');
	const stopped = await run(customers(30), {}, { isStopped, table: fails });
	expect(stopped.state).toBe('canceled');
	await n8n.rest();
	await retry(stopped, TREAT_AS_SENT);
	expect([...n8n.timesOnCanvas().values()].filter((times) => times > 1)).toEqual([]);
});

test('two executions of a node take turns, also if another node begins between them', async () => {
	for (let seed = 1; seed <= 20; seed++) {
		begin({ version: '2' }, 60, seed);
		const fromMs = n8n.clock.nowMs();
		const faults: Faults = {
			isKilled: () => n8n.clock.nowMs() >= fromMs + 1500 + seed * 60,
			sobot: ({ id }) => (id.startsWith('a') && n8n.clock.nowMs() < fromMs + 1200 ? '910024' : 'accepted'),
		};
		const executions = [
			customers(45, 'a'),
			customers(150, 'b').map((one) => ({ ...one, canvas: CANVASES[1] })),
		].map((items) => n8n.execution([items]));
		const running: Array<Promise<unknown>> = [];
		for (const execution of executions) {
			claimsOf(`another node ${seed} ${execution.id}`);
			running.push(n8n.begin(execution, { faults }));
			await n8n.clock.advance(200);
		}
		await n8n.clock.run(Promise.all(running));
		expect(executions.map(({ state }) => state)).toContain('crashed');
		for (const execution of executions)
			if (execution.state === 'crashed') await retry(execution, TREAT_AS_SENT);
		expect([seed, Math.max(...n8n.timesOnCanvas().values())]).toEqual([seed, 1]);
	}
});

test('equal customers with one text, and no token: nobody is told unknown, since no call has left', async () => {
	const [a, b] = customers(2);
	const items = [a, a, b, a, a, b].flatMap((one) => one ?? []);
	const settings = { ...WITH_TEXT, ...CONTINUE, options: { giveUpAfter: 0 } };
	const faults: Faults = { hasNoToken: true };
	const execution = await n8n.run(n8n.execution([items, items]), { settings, faults });
	const told = execution.ends.flatMap((end) => (end.kind === 'output' ? end.told : []));
	expect([told.length, told.filter(({ outcome }) => outcome === 'unknown')]).toEqual([12, []]);
});

test('with On Error: Stop, no token fails one customer, and the others were not reached', async () => {
	const failed = await run(customers(40), WITH_TEXT, { hasNoToken: true });
	expect(errorOf(failed)).toMatch(/Failed: 1 customer .* Not reached yet: 39 customers/s);
});

test.each(['killed', 'lost'] as const)('%s while rejected items are asked for: few in doubt', async (how) => {
	const settings = { ...WITH_TEXT, ...CONTINUE };
	const pending = () => n8n.table.entries.filter((entry) => entry.startsWith('pending')).length;
	const faults: Faults = {
		nick: () => 'empty',
		...(how === 'killed'
			? { isKilled: () => pending() > 20 }
			: { table: ({ index, kind }) => (kind === 'add' && index < 3 ? 'lost' : 'stored') }),
	};
	await run(customers(300), settings, faults);
	expect(pending()).toBeGreaterThan(20);
	await n8n.rest();
	expect(outcomes(await run(customers(300), settings)).unknown).toBeLessThanOrEqual(60);
});

test.each([1, 2, 3, 4])('stopped at step %i, the list of executions says who was not reached', async (at) => {
	const stopped = await run(
		customers(5),
		{ ...WITH_TEXT, ...CONTINUE },
		{ isStopped: (step) => step === at },
	);
	await n8n.rest();
	const [end] = stopped.ends;
	expect(end?.kind === 'stopped' ? end.customData.sobot : end).toContain('Not reached yet: ');
});

describe('an error says the truth', () => {
	test('of a loop whose later iteration has put nobody on the canvas', async () => {
		const failed = await n8n.run(n8n.execution([customers(10), customers(1, 'x')]), {
			faults: once('910026', 'x0'),
		});
		expect(n8n.sobot.accepted.length).toBe(10);
		expect(errorOf(failed)).toMatch(/This try put nobody on the canvas\. To send the rest, use Retry/);
	});

	test.each([
		[TREAT_AS_SENT, 'fail'],
		[SEND_AGAIN, 'sends them again'],
		[{}, 'does not send them again'],
	] as Array<[Settings, string]>)(
		'of what Retry does with those in doubt: %j',
		async ({ options }, words) => {
			const settings: Settings = { options: { ...options, giveUpAfter: 0 } };
			const failed = await run(customers(3), settings, once('lost', 'c1'));
			if (words === 'fail') expect(failed.state).toBe('success');
			else expect(errorOf(failed)).toContain(`Retry ${words}`);
		},
	);

	test('of someone in doubt whose item can no longer be read', async () => {
		const settings: Settings = { options: { unknownOutcome: 'sendAgain', giveUpAfter: 0 } };
		const failed = await run(customers(3), settings, once('lost', 'c1'));
		const again = await retry(
			failed,
			{ ...CONTINUE, ...settings },
			{ nick: ({ id }) => (id === 'c1' ? 'empty' : undefined) },
		);
		expect(toldBy(again)[1]).toMatchObject({ outcome: 'unknown' });
	});
});

describe("n8n's database fails", () => {
	test('while a batch with a failure ends: Retry in the same process ends, and sends the rest', async () => {
		for (let failing = 20; failing < 32; failing++) {
			begin({ version: '2' }, 150);
			const failed = await run(customers(80), WITH_TEXT, once('910026', `c${failing}`));
			const again = await n8n.run(n8n.retryOf(failed), { settings: WITH_TEXT });
			expect([again.state, n8n.sobot.accepted.length]).toEqual(['success', 80]);
		}
	});

	test.each<[string, Kind, Settings]>([
		['before n8n 2.14', { version: '1' }, {}],
		['with a text', { version: '2' }, WITH_TEXT],
	])(
		"%s, for long: with 'Treat as Sent', too, nobody counts as sent whom no call has left for",
		async (_, kind, settings) => {
			begin(kind);
			const options = { unknownOutcome: 'treatAsSent', giveUpAfter: 5 };
			const away: Faults = { table: () => 'rejected' };
			const failed = await run(customers(60), { ...settings, options }, away);
			expect(errorOf(failed)).toMatch(/n8n's database could not tell .* Not reached yet: 60 customers/s);
			const continued = await run(customers(60), { ...settings, ...CONTINUE, options }, away);
			expect(toldBy(continued).filter(({ reason }) => reason === '')).toEqual([]);
			expect((await retry(failed, settings)).state).toBe('success');
			expect(n8n.sobot.accepted.length).toBe(60);
		},
	);

	test('while a Retry has nobody to send: only a new text is worth waiting for it, and one minute', async () => {
		const secondsOf = async (settings: Settings) => {
			begin();
			const failed = await run(customers(1), {}, once('lost', 'c0'));
			const startedMs = n8n.clock.nowMs();
			const away: Faults = { table: () => 'rejected', nick: () => 'empty' };
			const again = await retry(failed, { ...CONTINUE, ...settings }, away);
			expect(outcomes(again)).toEqual({ unknown: 1 });
			return (n8n.clock.nowMs() - startedMs) / 1000;
		};
		expect(await secondsOf({})).toBeLessThan(2);
		const seconds = await secondsOf(WITH_TEXT);
		expect([seconds > 55, seconds < 65]).toEqual([true, true]);
	});

	test('at one call, however: the text can be used again', async () => {
		for (let at = 0; at < 8; at++) {
			begin();
			const fails = ({ index }: TableCall) => (index === at ? 'lost' : 'stored');
			await run(customers(3), { ...WITH_TEXT, ...CONTINUE }, { table: fails });
			const again = await run(customers(5), { ...WITH_TEXT, ...CONTINUE });
			expect(outcomes(again).accepted ?? 0).toBeGreaterThanOrEqual(2);
		}
	});

	test('after a kill, equal customers with one text are looked up without storing an entry twice', async () => {
		const twice = [...customers(3), ...customers(3)];
		const isStored = () => n8n.table.entries.some((entry) => entry.startsWith('pending'));
		expect((await run(twice, WITH_TEXT, { isKilled: isStored })).state).toBe('crashed');
		expect(outcomes(await run(twice, { ...WITH_TEXT, ...CONTINUE }))).toEqual({ unknown: 6 });
	});
});
