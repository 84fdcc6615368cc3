import { releasesSince } from '../support/n8n/releases.mts';

test('the releases since a version: the newest first, by number, without previews', () => {
	const versions = ['1.123.81', '2.9.0', '2.41.1', '2.41.10', '2.41.3', '2.42.0-rc.1', '2.100.0', '3.0.0'];
	expect(releasesSince('2.41.1', versions)).toEqual(['3.0.0', '2.100.0', '2.41.10', '2.41.3', '2.41.1']);
});
