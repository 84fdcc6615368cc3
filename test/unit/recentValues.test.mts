import { RecentValues } from '../../nodes/sobot/recentValues';

test('holds the latest values, and lets go of the oldest', () => {
	const values = new RecentValues(2);
	for (const value of ['a', 'b', 'a', 'c']) values.add(value);
	expect(['a', 'b', 'c'].map((value) => values.has(value))).toEqual([false, true, true]);
	values.delete('b');
	expect(values.has('b')).toBe(false);
});
