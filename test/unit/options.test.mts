import { DEFAULT_OPTIONS } from '../../nodes/SobotRuleEngine/canvas/options';
import { fields } from '../../nodes/SobotRuleEngine/canvas/trigger.fields';

test('an option that is not set does what its field shows when it is added', () => {
	const options = fields.find(({ name }) => name === 'options')?.options ?? [];
	const shown = Object.fromEntries(
		options.map((one) => [one.name, 'default' in one ? one.default : undefined]),
	);
	expect(shown).toEqual(expect.objectContaining(DEFAULT_OPTIONS));
	expect(Object.keys(shown).sort()).toEqual(
		[...Object.keys(DEFAULT_OPTIONS), 'contactIdField', 'sendOncePer'].sort(),
	);
});
