// Lets a script in a temporary folder import n8n's own packages by name, and the helpers of the findings as "findings"
// and "findings/NAME".
import { createRequire, registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const require = createRequire(join(process.env.N8N, 'node_modules/n8n/package.json'));

registerHooks({
	resolve(name, context, next) {
		const helper = /^findings(\/\w+)?$/.test(name) && `${name.split('/')[1] ?? 'helper'}.mjs`;
		if (helper) return next(pathToFileURL(join(process.env.FINDINGS, helper)).href, context);
		if (
			/^(\.|\/|node:|file:)/.test(name) ||
			!context.parentURL?.startsWith(pathToFileURL(process.env.WORK).href)
		)
			return next(name, context);
		return next(pathToFileURL(require.resolve(name)).href, context);
	},
});
