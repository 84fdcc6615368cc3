// The room of n8n's deduplication table holds whom a crashed batch, a campaign or a history needs.
import {
	begin,
	chunks,
	CONTINUE,
	filled,
	killedAfter,
	n8n,
	once,
	outcomes,
	retry,
	run,
	TREAT_AS_SENT,
	WITH_TEXT,
	withOwnN8n,
} from './faults.mts';
import { BY_ORDER, CANVASES, type Faults, type Item, type Settings, type TableCall } from './modelNode.mts';
import { customers } from './modelOfN8n.mts';

withOwnN8n();

describe('the room of the table', () => {
	const twice = () => [...n8n.timesOnCanvas().values()].filter((times) => times > 1).length;
	const isSpare = (entry: string) => entry.startsWith('spare');
	const onAnother = (count: number, name = 'x') =>
		customers(count, name).map((item) => ({ ...item, canvas: CANVASES[1] }));
	/** How many customers of the test's own batch are on their canvas, beside those of others. */
	const ownAccepted = () => n8n.sobot.accepted.filter(({ item }) => item.id.startsWith('c')).length;

	test('holds a large loop that has crashed, whatever small batch and Retry follow', async () => {
		const crashed = await n8n.run(n8n.execution(chunks(customers(2700), 100)), {
			faults: killedAfter(2650),
		});
		expect(crashed.state).toBe('crashed');
		const stored = n8n.table.entries.length;
		expect(stored).toBeGreaterThan(2650);
		await run(customers(15, 'x'), { options: { requestsPerSecond: 10 } });
		expect(n8n.table.entries.length).toBeGreaterThan(stored);
		expect((await retry(crashed, TREAT_AS_SENT)).state).toBe('success');
		expect(twice()).toBe(0);
	});

	test('holds a campaign that is larger than the history and is run again after a crash', async () => {
		const [one = [], two = [], three = []] = chunks(customers(300), 100);
		const settings: Settings = { ...WITH_TEXT, ...CONTINUE, ...TREAT_AS_SENT };
		const crashed = await n8n.run(n8n.execution([one, two]), { settings, faults: killedAfter(150) });
		expect(crashed.state).toBe('crashed');
		// As if a loop had sent 11,000 more.
		const { entries } = n8n.table;
		n8n.table.entries = [...entries.slice(0, 100), ...filled(11_000), ...entries.slice(100)];
		const again = await n8n.run(n8n.execution([one, two, three]), { settings, worker: 1 });
		const outcomesOf = again.ends.flatMap((end) => (end.kind === 'output' ? end.told : []));
		expect(outcomesOf.length).toBe(300);
		expect([outcomesOf.filter(({ outcome }) => outcome === 'notSent'), twice()]).toEqual([[], 0]);
	});

	test.each([
		[1500, 1450, 2400],
		[5200, 5100, 900],
	])('holds a loop of %i that has crashed at %i on a new node while others come: %i', async (...of) => {
		const [size, at, others] = of;
		const crashed = await n8n.run(n8n.execution(chunks(customers(size), 100)), { faults: killedAfter(at) });
		expect(crashed.state).toBe('crashed');
		for (const items of chunks(customers(others, 'x'), 100))
			await n8n.run(n8n.execution([items]), { worker: 1 });
		await retry(crashed, TREAT_AS_SENT);
		expect(twice()).toBe(0);
	});

	// Each of them cuts the list to the room that it sees.
	test.each([
		[0, 4400, 4350, 0],
		[5500, 2740, 2700, 1],
	])(
		'beside %i older entries, holds a batch of %i that crashes at %i while small ones come',
		async (...of) => {
			const [older, size, at, worker] = of;
			n8n.table.entries = filled(older);
			let isDead = false;
			const isKilled = () => ownAccepted() >= at && (isDead = true);
			const large = n8n.execution([customers(size)]);
			const running = n8n.begin(large, { faults: { isKilled } });
			await n8n.clock.advance(333);
			const beside = async () => {
				for (let i = 0; !isDead; i++)
					await Promise.race([
						running,
						n8n.begin(n8n.execution([onAnother(60, `x${i}-`)]), {
							worker,
							faults: { isKilled: () => isDead },
						}),
					]);
			};
			await n8n.clock.run(Promise.all([running, beside()]));
			expect(large.state).toBe('crashed');
			expect(n8n.sobot.accepted.length - ownAccepted()).toBeGreaterThan(1500);
			await retry(large, TREAT_AS_SENT);
			expect(twice()).toBe(0);
		},
	);

	test('holds a slow loop in small chunks beside batches of another worker', async () => {
		begin({ version: '2' }, 3, 5);
		const isKilled = () => ownAccepted() >= 885;
		const loop = n8n.execution(chunks(customers(1000), 10));
		const running = n8n.begin(loop, {
			faults: { isKilled },
			settings: { options: { requestsPerSecond: 10 } },
		});
		while (ownAccepted() < 865) await n8n.clock.advance(500);
		const beside = async () => {
			for (let i = 0; loop.state === 'new' && i < 12; i++)
				await Promise.race([
					running,
					n8n.begin(n8n.execution([onAnother(100, `x${i}-`)]), { worker: 1, faults: { isKilled } }),
				]);
		};
		await n8n.clock.run(Promise.all([running, beside()]));
		expect(loop.state).toBe('crashed');
		await retry(loop, TREAT_AS_SENT);
		expect(twice()).toBe(0);
	});

	test.each(['rejected', 'lost'] as const)(
		'is made once, if adding the spare entries is %s once',
		async (how) => {
			let struck = 0;
			const table = ({ kind, entries }: TableCall) =>
				kind === 'add' && entries.some(isSpare) && struck++ === 0 ? how : 'stored';
			await run(customers(2500), CONTINUE, { table });
			expect(struck).toBe(how === 'lost' ? 1 : 2);
			expect(n8n.sobot.accepted.length).toBeGreaterThan(2400);
			expect(twice()).toBe(0);
			expect(n8n.table.entries.filter(isSpare).length).toBe(6500);
		},
	);

	test.each([
		[0, 2250, 0],
		[0, 2300, 6500],
		[3000, 2300, 3500],
		[5500, 2300, 1000],
		[6500, 2300, 0],
		[0, 6000, 12_000],
		[0, 30_000, 12_000],
	])('with %i entries before a batch of %i: %i spare ones, so that all processes keep it', async (...of) => {
		const [before, size, spare] = of;
		n8n.table.entries = filled(before);
		await run(customers(size), {}, killedAfter(60));
		expect(n8n.table.entries.filter(isSpare).length).toBe(spare);
	});

	test('is not made by a Retry that only asks', async () => {
		const unsendable: Faults = { nick: () => 'empty' };
		const failed = await run(customers(2300), {}, unsendable);
		expect(failed.state).toBe('error');
		await retry(failed, CONTINUE, unsendable);
		expect(n8n.table.entries).toEqual([]);
	});

	test('holds a loop that has crashed, and whose Retry has crashed', async () => {
		const settings = { ...CONTINUE, ...TREAT_AS_SENT };
		const crashed = await n8n.run(n8n.execution(chunks(customers(9600), 500)), {
			settings,
			faults: killedAfter(5000),
		});
		const again = await n8n.run(n8n.retryOf(crashed), { settings, worker: 1, faults: killedAfter(9070) });
		expect([crashed.state, again.state]).toEqual(['crashed', 'crashed']);
		await n8n.run(n8n.retryOf(again), { settings, worker: 2 });
		expect(n8n.sobot.accepted.length).toBeGreaterThan(9400);
		expect(twice()).toBe(0);
	});

	test('is made again if another process overwrites the spare entries', async () => {
		const large = n8n.execution([customers(5000)]);
		const running = n8n.begin(large, { faults: { isKilled: () => ownAccepted() >= 120 } });
		await n8n.clock.advance(1000);
		const { entries } = n8n.table;
		expect(entries.filter(isSpare).length).toBe(6500);
		n8n.table.entries = entries.filter((entry) => !isSpare(entry));
		await n8n.clock.run(running);
		expect(n8n.table.entries.filter(isSpare).length).toBeGreaterThan(5000);
	});

	test("needs no spare entries with the option: 'History Size' counts customers", async () => {
		const settings = { ...WITH_TEXT, ...CONTINUE };
		await n8n.run(n8n.execution(chunks(customers(1000), 100)), { settings });
		await run(customers(1000, 'x'), settings);
		expect(n8n.sobot.accepted.length).toBe(2000);
		expect(n8n.table.entries.filter(isSpare)).toEqual([]);
	});

	test.each([
		['that ends', 900, Infinity, 700],
		['that crashes, too', 1700, 80, 300],
	])('holds a batch that has crashed on a new node beside a larger one %s', async (_, size, at, others) => {
		const crashed = await run(customers(800), {}, killedAfter(790));
		expect(crashed.state).toBe('crashed');
		const before = n8n.sobot.accepted.length;
		await n8n.run(n8n.execution([customers(size, 'y')]), { worker: 1, faults: killedAfter(before + at) });
		for (const items of chunks(customers(others, 'x'), 100))
			await n8n.run(n8n.execution([items]), { worker: 2 });
		await retry(crashed, TREAT_AS_SENT);
		expect(twice()).toBe(0);
	});

	test('holds twice the customers of a batch without the option, too', async () => {
		await run(customers(1600));
		expect(n8n.sobot.accepted.length).toBe(1600);
		await run(customers(1600, 'x'));
		expect(n8n.table.entries.filter((entry) => entry.startsWith('claim')).length).toBe(3200);
	});

	test('stays as it is for a second large batch of the day that has crashed', async () => {
		await run(customers(1600, 'a'));
		n8n.table.entries = [...n8n.table.entries, ...filled(4000)];
		const crashed = await run(customers(1600), {}, killedAfter(3150));
		expect(crashed.state).toBe('crashed');
		n8n.table.entries = [...n8n.table.entries, ...filled(7990 - n8n.table.entries.length, 'later')];
		for (let i = 0; i < 3; i++) await run(customers(65, `x${i}-`));
		expect(n8n.table.entries.length).toBeGreaterThan(7000);
		await retry(crashed, TREAT_AS_SENT);
		expect(twice()).toBe(0);
	});

	test('is kept by batches without the option, once a history is longer', async () => {
		const orders = customers(100).map((one, index) => ({ ...one, order: `order ${index}` }));
		await run(orders, { sendOncePer: BY_ORDER });
		n8n.table.entries = [...n8n.table.entries, ...filled(5990 - n8n.table.entries.length)];
		for (let i = 0; i < 3; i++) await run(customers(65, `x${i}-`));
		expect(n8n.table.entries.length).toBeGreaterThan(6000);
		expect(outcomes(await run(orders, { sendOncePer: BY_ORDER }))).toEqual({ alreadySent: 100 });
	});

	test.each(['lost', 'killed'] as const)(
		'is full, and the first question of a new campaign is %s: it can be sent all the same',
		async (how) => {
			n8n.table.entries = filled(10_990);
			const isMarker = (entry: string) => /^(first|last)/.test(entry);
			const isAsked = () => n8n.table.entries.some(isMarker);
			let hasAsked = false;
			const table = ({ kind, entries }: TableCall) => {
				const asks =
					kind === 'add' && entries.some(isMarker) && !entries.some((entry) => entry.startsWith('claim'));
				hasAsked ||= asks;
				return asks && how === 'lost' ? 'lost' : 'stored';
			};
			const isKilled = () => how === 'killed' && hasAsked && isAsked();
			const faults: Faults = { table, isKilled };
			await run(customers(20), { ...WITH_TEXT, ...CONTINUE }, faults);
			expect(isAsked()).toBe(true);
			await n8n.rest();
			await run(customers(20), { ...WITH_TEXT, ...CONTINUE });
			expect(n8n.sobot.accepted.length).toBe(20);
		},
	);

	test('holds a large batch without the option beside a small one that has begun before it', async () => {
		void n8n.begin(n8n.execution([onAnother(300)]), { settings: { options: { requestsPerSecond: 1 } } });
		await n8n.clock.advance(3000);
		const crashed = await run(customers(2900), {}, killedAfter(2700));
		expect(crashed.state).toBe('crashed');
		await retry(crashed, TREAT_AS_SENT);
		expect(twice()).toBe(0);
	});

	test('holds a large batch of orders beside a small one that has begun before it', async () => {
		const settings: Settings = { ...CONTINUE, sendOncePer: BY_ORDER };
		const ordersOf = (items: Item[]) => items.map((item) => ({ ...item, order: `of ${item.id}` }));
		n8n.table.entries = filled(10_900);
		const small = n8n.begin(n8n.execution([ordersOf(onAnother(30))]), {
			settings: { ...settings, options: { requestsPerSecond: 1 } },
		});
		await n8n.clock.advance(3000);
		// A larger batch has stored many.
		n8n.table.entries = [...filled(8000, 'the larger one'), ...n8n.table.entries];
		await n8n.clock.run(small);
		expect(n8n.table.entries.filter((entry) => entry.includes('the larger one'))).toHaveLength(8000);
	});

	test('holds a large batch beside a small one that ends after it', async () => {
		const isKilled = () => ownAccepted() >= 2700;
		const large = n8n.execution([customers(2900)]);
		const running = n8n.begin(large, { faults: { isKilled } });
		await n8n.clock.advance(4000);
		const settings: Settings = { options: { requestsPerSecond: 20 } };
		void n8n.begin(n8n.execution([onAnother(1150)]), { settings, faults: { isKilled } });
		await n8n.clock.run(running);
		await retry(large, TREAT_AS_SENT);
		expect(twice()).toBe(0);
	});

	test.each([
		[2750, 2700, 500],
		[1600, 1550, 1500],
	])('holds a batch of %i that has crashed at %i while others come in a new process: %i', async (...of) => {
		const [size, at, others] = of;
		const crashed = await run(customers(size), {}, killedAfter(at));
		expect(crashed.state).toBe('crashed');
		for (const [index, items] of chunks(customers(others, 'x'), 100).entries())
			await n8n.run(n8n.execution([items]), { worker: 1 + (index % 2) });
		await retry(crashed, TREAT_AS_SENT);
		expect(twice()).toBe(0);
	});

	test.each([
		['two equal items', 700, (order: number) => [order, order]],
		['three customers', 350, (order: number) => [3 * order, 3 * order + 1, 3 * order + 2]],
	])("holds 'History Size' for orders of %s", async (_, orders, numbers) => {
		const settings: Settings = { ...CONTINUE, sendOncePer: BY_ORDER, options: { historySize: 1050 } };
		const send = async (order: number) =>
			await run(
				numbers(order).map((number) => ({ id: `c${number}`, canvas: CANVASES[0], order: `order ${order}` })),
				settings,
			);
		for (let order = 0; order < orders; order++) await send(order);
		const { length } = n8n.sobot.accepted;
		for (let order = 0; order < orders; order += 50) await send(order);
		expect(n8n.sobot.accepted.length).toBe(length);
	});

	test('holds a campaign whose executions overlap while the history fills', async () => {
		const settings: Settings = { ...WITH_TEXT, ...CONTINUE, options: { historySize: 1000 } };
		await run(customers(10), settings);
		const { entries } = n8n.table;
		n8n.table.entries = [...entries.slice(0, 2), ...filled(4800), ...entries.slice(2)];
		const both = ['x', 'y'].map((name) => n8n.execution([customers(400, name)]));
		await n8n.clock.run(Promise.all(both.map(async (one) => await n8n.begin(one, { settings }))));
		expect(both.map(outcomes)).toEqual([{ accepted: 400 }, { accepted: 400 }]);
		await n8n.clock.advance(3_600_000);
		expect(outcomes(await run(customers(5, 'late'), settings))).toEqual({ accepted: 5 });
	});

	test.each([
		[600, 'c250', 12, 380],
		[1300, 'c150', 10, 370],
	])(
		'holds a campaign that others have gone on with: %i, failed at %s, then %i times %i',
		async (...shape) => {
			const [count, refused, times, more] = shape;
			const settings: Settings = { ...WITH_TEXT, options: { historySize: 1000 } };
			const failed = await n8n.run(n8n.execution(chunks(customers(count), 100)), {
				settings,
				faults: once('910026', refused),
			});
			for (let i = 0; i < times; i++) await run(customers(more, `${i}-`), settings);
			const again = await retry(failed, { ...settings, ...CONTINUE });
			const told = again.ends.flatMap((end) => (end.kind === 'output' ? end.told : []));
			expect(told.filter(({ outcome }) => outcome !== 'accepted' && outcome !== 'alreadySent')).toEqual([]);
			await n8n.clock.advance(3_600_000);
			expect(outcomes(await run(customers(5, 'late'), { ...settings, ...CONTINUE }))).toEqual({
				accepted: 5,
			});
		},
	);

	test.each([
		[1, 60],
		[20, 6],
		[50, 6],
	])('holds a campaign that grows by batches of %i', async (size, batches) => {
		const settings: Settings = { ...WITH_TEXT, ...CONTINUE, options: { historySize: 1000 } };
		await run(customers(size), settings);
		const { entries } = n8n.table;
		n8n.table.entries = [...entries.slice(0, 2), ...filled(5465), ...entries.slice(2)];
		for (let i = 0; i < batches; i++) {
			const told = outcomes(await run(customers(size, `x${i}-`), settings));
			expect([i, told]).toEqual([i, { accepted: size }]);
		}
	});
});
