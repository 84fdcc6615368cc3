// Runs n8n's Schedule Trigger in n8n's own scheduler of cron jobs under a clock that is set forward: for findings about schedules.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { mock } from 'node:test';

const require = createRequire(join(process.env.N8N, 'node_modules/n8n/package.json'));
const { ScheduleTrigger } = require('n8n-nodes-base/dist/nodes/Schedule/ScheduleTrigger.node.js');
const { ScheduledTaskManager } = require('n8n-core/dist/execution-engine/scheduled-task-manager.js');

const logger = { scoped: () => logger, debug() {}, info() {}, warn() {} };

/**
 * The times at which a rule starts executions of a workflow in UTC.
 * @param interval a rule as the node stores it
 * @param down the times [from, until] in which n8n does not run
 */
export async function startsOf(interval, { from, until, down = [] }, stepMs = 60_000) {
	mock.timers.enable({ apis: ['Date', 'setTimeout'], now: new Date(from) });
	const staticData = {};
	const starts = [];
	const timezone = 'UTC';
	const group = { type: 'workflow', id: 'finding' };
	let manager;
	const launch = async () => {
		manager = new ScheduledTaskManager({ isLeader: true }, logger, { activeInterval: 0 });
		await new ScheduleTrigger().trigger.call({
			getNode: () => ({ id: 'node', typeVersion: 1.4 }),
			getNodeParameter: () => ({ interval: [interval] }),
			getTimezone: () => timezone,
			getWorkflowStaticData: () => staticData,
			getWorkflow: () => ({ id: group.id }),
			getMode: () => 'trigger',
			emit: () => starts.push(new Date().toISOString().slice(0, stepMs < 60_000 ? 19 : 16)),
			helpers: {
				returnJsonArray: (values) => values,
				registerCron: ({ expression, recurrence }, onTick) =>
					manager.register({ group, targetId: 'node', timezone, expression, recurrence }, onTick),
			},
		});
	};
	await launch();
	for (let runs = true; Date.now() < Date.parse(until);) {
		mock.timers.tick(stepMs);
		const now = Date.now();
		const shouldRun = !down.some(([start, end]) => now >= Date.parse(start) && now < Date.parse(end));
		if (runs && !shouldRun) manager.deregisterGroup(group);
		if (!runs && shouldRun) await launch();
		runs = shouldRun;
	}
	manager.deregisterGroup(group);
	mock.timers.reset();
	return starts;
}
