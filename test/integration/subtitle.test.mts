// What the canvas of n8n's editor shows under the action's name.
import { Workflow, type INodeParameters } from 'n8n-workflow';
import { SobotRuleEngine } from '../../nodes/SobotRuleEngine/SobotRuleEngine.node';
import { ACTION } from '../support/nodeTypes.mts';
import { node } from '../support/workflows.mts';
import { nodeTypes } from './n8nCore.mts';

function subtitle(parameters: INodeParameters): unknown {
	const action = node('Sobot', ACTION.type, ACTION.typeVersion, parameters);
	const workflow = new Workflow({
		nodes: [action],
		connections: {},
		active: false,
		nodeTypes: nodeTypes({}),
	});
	const { subtitle: expression } = new SobotRuleEngine().description;
	const saved = workflow.getNode('Sobot');
	if (!saved) throw new Error('This workflow has no Sobot.');
	return workflow.expression.getSimpleParameterValue(saved, expression, 'internal', {});
}

const canvas = (value: string, more: object = {}) => ({
	canvas: { __rl: true as const, mode: 'id', value, ...more },
});

test.each<[string, INodeParameters, string]>([
	['a new node', {}, 'no canvas yet'],
	[
		'a canvas from the list',
		canvas('1234567890123456789', { mode: 'list', cachedResultName: 'Welcome' }),
		'Welcome',
	],
	['a canvas by its trigger ID', canvas('1234567890123456789'), '1234567890123456789'],
	['a canvas by an expression', canvas('={{ $json.canvas }}'), 'canvas by expression'],
	[
		'a dry run',
		{ ...canvas('1', { cachedResultName: 'Welcome' }), options: { dryRun: true } },
		'Welcome (dry run)',
	],
	['no dry run', { ...canvas('Welcome'), options: { dryRun: false } }, 'Welcome'],
	[
		'Acknowledge',
		{ resource: 'webhookApp', operation: 'acknowledge', outcome: 'failure' },
		'acknowledge: failure',
	],
])('%s', (_, parameters, text) => {
	expect(subtitle(parameters)).toBe(text);
});
