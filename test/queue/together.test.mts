// Four workers and two webhook processors without faults: one token, each push accepted once, one rate limit. The tests
// share a cluster, because it takes a while to start.
import { Cluster } from './cluster.mts';
import { paceTests } from './pace.mts';
import { pushTests } from './pushes.mts';
import { tokenTests } from './token.mts';

jest.setTimeout(600_000);

let cluster: Cluster;
const running = () => cluster;

beforeAll(async () => {
	cluster = await Cluster.start({
		processors: 2,
		workers: 4,
		// n8n's own default. When n8n looks for executions that are in no queue, it now and then calls one crashed that ends
		// at that very moment.
		env: { N8N_EXECUTIONS_QUEUE_RECOVERY_INTERVAL: '180' },
	});
});
afterAll(async () => await cluster.stop());

describe('the token', () => tokenTests(running));
describe('pushes', () => pushTests(running));
// Last, because it ends a worker.
describe('the rate', () => paceTests(running));
