#!/usr/bin/env bash
# n8n's RSS trigger leaves entries out that appear with the date of the last one or an earlier date, and one entry can silence it.
#
# Versions  n8n-nodes-base 2.41.1 (RSS Feed Trigger 1, run as n8n polls it), Node.js 24.21.0
# Expected  Each entry that appears in the feed comes out once, as feed readers do by its ID (guid). A date in the future or a
#           missing one is about its own entry.
# Real      It compares with the latest date seen. An entry of the same date, as in feeds that give the day alone, or of an
#           earlier one, as of a post that waited for approval, never comes out. After one entry of 2036, nothing comes out for ten
#           years. If the last entry of the feed has no date, nothing comes out at all: each time "now" becomes the latest date.
. "$(dirname "$0")/lib.sh"
need_n8n
run_module <<'JS'
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { mock } from 'node:test';
import { asStated } from 'findings';

const require = createRequire(join(process.env.N8N, 'node_modules/n8n/package.json'));
const { RssFeedReadTrigger } = require('n8n-nodes-base/dist/nodes/RssFeedRead/RssFeedReadTrigger.node.js');

const entry = ([title, date]) =>
	`<item><title>${title}</title><guid>${title}</guid>${date ? `<pubDate>${new Date(date).toUTCString()}</pubDate>` : ''}</item>`;
const feedOf = (entries) =>
	`<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title>${entries.map(entry).join('')}</channel></rss>`;

mock.timers.enable({ apis: ['Date'] });
/** What each poll puts out, one at each hour from 10:00 on, of what the feed holds then. */
async function polls(...feeds) {
	const staticData = {};
	const out = [];
	for (const [index, entries] of feeds.entries()) {
		mock.timers.setTime(Date.parse('2026-03-02T10:00:00Z') + index * 3_600_000);
		const found = await new RssFeedReadTrigger().poll.call({
			getWorkflowStaticData: () => staticData,
			getNodeParameter: () => 'https://feed.example.com',
			getNode: () => ({ name: 'Feed' }),
			getMode: () => 'trigger',
			helpers: {
				httpRequest: async () => feedOf(entries),
				returnJsonArray: (values) => values.map((json) => ({ json })),
			},
		});
		out.push(found?.[0].map(({ json }) => json.title) ?? []);
	}
	return out;
}

const today = (time) => `2026-03-02T${time}:00Z`;
const old = ['old', '2026-03-01T09:00:00Z'];
const first = ['first', today('10:30')];
const second = ['second', today('11:30')];
asStated('one by one', await polls([old], [first, old], [second, first, old]), [[], ['first'], ['second']]);
const same = ['same moment', first[1]];
asStated('two of one date', await polls([old], [first, old], [same, first, old]), [[], ['first'], []]);
const approved = ['approved later', today('10:10')];
asStated('one of an earlier date', await polls([old], [first, old], [first, approved, old]), [[], ['first'], []]);
const typo = ['of 2036', '2036-03-02T10:20:00Z'];
asStated('one of 2036', await polls([old], [typo, old], [first, typo, old], [second, first, typo, old]), [[], ['of 2036'], [], []]);
const about = ['about this feed'];
asStated('the last one undated', await polls([old, about], [first, old, about], [second, first, old, about]), [[], [], []]);
asStated('the first one undated', await polls([about, old], [about, first, old], [about, second, first, old]), [
	[],
	['first'],
	['second'],
]);
JS
