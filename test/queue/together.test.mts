// What four workers and two webhook processors do together while nothing fails: one token, pushes taken once, one pace. One
// cluster for all of it, since it takes a while to start.
import { Cluster } from './cluster.mts';
import { paceTests } from './pace.mts';
import { pushTests } from './pushes.mts';
import { tokenTests } from './token.mts';

jest.setTimeout(600_000);

let cluster: Cluster;
const running = () => cluster;

beforeAll(async () => {
	cluster = await Cluster.start({ processors: 2, workers: 4 });
});
afterAll(async () => await cluster.stop());

describe('the token', () => tokenTests(running));
describe('pushes', () => pushTests(running));
// Last, since it ends a worker.
describe('the pace', () => paceTests(running));
