// The list of n8n's deduplication table does not grow without need.
import { begin, chunks, CONTINUE, filled, n8n, once, retry, run, WITH_TEXT, withOwnN8n } from './faults.mts';
import { BY_ORDER, CANVASES, type Item, type Settings } from './modelNode.mts';
import { customers } from './modelOfN8n.mts';

withOwnN8n();

describe('the list of the table', () => {
	test('is not used up by questions', async () => {
		await run(customers(1), WITH_TEXT);
		n8n.table.entries = [...filled(12_000), ...n8n.table.entries];
		const { length } = n8n.table.entries;
		for (let i = 0; i < 20; i++)
			await n8n.run(n8n.execution([customers(1)]), { settings: WITH_TEXT, worker: i % 2 });
		expect(n8n.sobot.accepted.length).toBe(1);
		n8n.end();
		expect(n8n.table.entries.length).toBeGreaterThanOrEqual(length);
	});

	test.each<[string, Settings]>([
		['without the option', {}],
		['of orders', { sendOncePer: BY_ORDER, options: { historySize: 1000 } }],
	])('does not grow with Retries %s', async (_, settings) => {
		n8n.table.entries = filled(5500);
		const ordersOf = (name: string, count: number) =>
			customers(count, name).map((one) => ({ ...one, order: `of ${one.id}` }));
		for (let day = 0; day < 4; day++) {
			await run(ordersOf(`x${day}-`, 300), settings);
			const failed = await run(ordersOf(`${day}-`, 200), settings, once('910026', `${day}-0`));
			expect(failed.state).toBe('error');
			await retry(failed, settings);
		}
		expect(n8n.table.entries.length).toBeLessThanOrEqual(5700);
	});

	test('does not grow with batches of orders on two workers at once', async () => {
		begin({ version: '2' }, 3);
		n8n.table.entries = filled(5491);
		for (let round = 0; round < 120; round++) {
			const both = [0, 1].map(async (worker) => {
				await n8n.clock.sleep((worker * round * 7) % 40);
				const items = customers(5, `${worker}-${round}-`).map((one) => ({ ...one, order: `of ${one.id}` }));
				const settings = { ...CONTINUE, sendOncePer: BY_ORDER, options: { historySize: 1000 } };
				await n8n.begin(n8n.execution([items]), { settings, worker });
			});
			await n8n.clock.run(Promise.all(both));
			await n8n.clock.advance(2000);
		}
		expect(n8n.table.entries.length).toBeLessThanOrEqual(5600);
	});

	test.each<[string, (round: number, worker: number) => { batches: Item[][]; settings: Settings }]>([
		[
			'orders of two items',
			(round, worker) => ({
				batches: [[0, 0].map(() => ({ id: `${round}`, canvas: CANVASES[0], order: `${round}-${worker}` }))],
				settings: { sendOncePer: BY_ORDER, options: { historySize: 1000 } },
			}),
		],
		[
			'loops without the option',
			(round, worker) => ({ batches: chunks(customers(195, `${round}-${worker}-`), 65), settings: {} }),
		],
		[
			'a campaign for each of them',
			(round, worker) => ({
				batches: chunks(customers(200, `${round}-${worker}-`), 50),
				settings: { sendOncePer: `${round} ${worker}`, options: { historySize: 1000 } },
			}),
		],
	])('does not grow on two workers with %s', async (_, make) => {
		begin({ version: '2' }, 10);
		n8n.table.entries = filled(5500);
		for (let round = 0; round < 10; round++) {
			const both = [0, 1].map(async (worker) => {
				await n8n.clock.sleep((worker * round * 7) % 40);
				const { batches, settings } = make(round, worker);
				const canvas = CANVASES[worker] as string;
				const onOwn = batches.map((items) => items.map((item) => ({ ...item, canvas })));
				await n8n.begin(n8n.execution(onOwn), { settings: { ...CONTINUE, ...settings }, worker });
			});
			await n8n.clock.run(Promise.all(both));
			await n8n.clock.advance(3_600_000);
		}
		expect(n8n.table.entries.length).toBeLessThanOrEqual(5600);
	});

	test('does not grow with a loop whose iterations take turns with two texts', async () => {
		n8n.table.entries = filled(5500);
		for (let day = 0; day < 3; day++) {
			const batches = chunks(customers(600, `${day}-`), 50).map((items, index) =>
				items.map((item) => ({ ...item, order: `day ${day}, ${index % 2}` })),
			);
			const settings = { ...CONTINUE, sendOncePer: BY_ORDER, options: { historySize: 1000 } };
			await n8n.run(n8n.execution(batches), { settings });
		}
		expect(n8n.sobot.accepted.length).toBe(1800);
		expect(n8n.table.entries.length).toBeLessThanOrEqual(5600);
	});

	test('does not grow with each campaign that comes in chunks', async () => {
		n8n.table.entries = filled(10_991);
		for (let day = 1; day <= 3; day++)
			await n8n.run(n8n.execution(chunks(customers(600, `${day}-`), 100)), {
				settings: { ...CONTINUE, sendOncePer: `day ${day}`, options: { historySize: 1000 } },
			});
		expect(n8n.sobot.accepted.length).toBe(1800);
		expect(n8n.table.entries.length).toBeLessThanOrEqual(11_000);
	});

	test.each([5490, 5497])('does not grow with a campaign each day, from %i entries on', async (count) => {
		n8n.table.entries = filled(count + 1);
		for (let day = 0; day < 8; day++) {
			const settings = { ...CONTINUE, sendOncePer: `day ${day}`, options: { historySize: 1000 } };
			await run(customers(60, `${day}-`), settings);
			await n8n.clock.advance(3_600_000);
		}
		expect(n8n.table.entries.length).toBeLessThanOrEqual(5600);
	});
});
