import { Registry } from '../../nodes/sobot/registry';

class Counter {
	isIdle = false;
}

test('returns the same value for the same key', () => {
	const registry = new Registry(() => new Counter());
	expect(registry.get('a')).toBe(registry.get('a'));
	expect(registry.get('a')).not.toBe(registry.get('b'));
});

test('drops idle values when a new one is made, and never one in use', () => {
	const registry = new Registry(() => new Counter());
	const used = registry.get('used');
	const idle = registry.get('idle');
	idle.isIdle = true;
	registry.get('new');
	expect(registry.get('used')).toBe(used);
	expect(registry.get('idle')).not.toBe(idle);
});
