import { Backlog } from '../../nodes/sobot/delivery/backlog';
import { newCustomer, type Customer } from '../../nodes/sobot/outcome/customer';

const customersOf = (...bodies: string[]): Customer[] => bodies.map((body) => newCustomer(body));
const A: Customer = newCustomer('A');
const B: Customer = newCustomer('B');

function rest(backlog: Backlog): string[] {
	const bodies: string[] = [];
	for (let one = backlog.take(); one; one = backlog.take()) bodies.push(one.body);
	return bodies;
}

test('takes each customer once, in order', () => {
	expect(rest(new Backlog(customersOf('1', '2', '3')))).toEqual(['1', '2', '3']);
	expect(rest(new Backlog([]))).toEqual([]);
});

test('takes customers that were put back before all others', () => {
	const backlog = new Backlog(customersOf('1', '2'));
	backlog.putLast(A);
	backlog.putLast(B);
	backlog.putFirst(newCustomer('C'));
	expect(rest(backlog)).toEqual(['C', 'A', 'B', '1', '2']);
	backlog.putLast(A);
	expect(rest(backlog)).toEqual(['A']);
});

test('shows only customers that nobody has tried yet, and keeps them', () => {
	const backlog = new Backlog(customersOf('1', '2', '3', '4'));
	backlog.take();
	backlog.putFirst(A);
	expect(backlog.untried(2).map(({ body }) => body)).toEqual(['2', '3']);
	expect(backlog.untried(0)).toEqual([]);
	expect(rest(backlog)).toEqual(['A', '2', '3', '4']);
	expect(backlog.untried(5)).toEqual([]);
});

test('gives a held customer back once the one it waits for is settled', async () => {
	const backlog = new Backlog([]);
	let settle = () => {};
	const held = backlog.hold(A, new Promise<void>((resolve) => (settle = resolve)));
	expect([backlog.isHolding, backlog.take()]).toEqual([true, undefined]);
	settle();
	await held;
	expect([backlog.isHolding, backlog.take()]).toEqual([false, A]);
});
