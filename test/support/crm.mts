// A CRM-like server behind a workflow: it saves each customer that it receives.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { listenOnFreePort } from './freePort.mts';
import { node, type SavedNode } from './workflows.mts';

export class Crm {
	/** where it receives customers */
	url = '';
	/** the customers as they came */
	readonly saved: Array<{ id: string }> = [];
	/** the next calls, this many, are answered with 500, and nothing is saved */
	failures = 0;
	private readonly server = createServer((request, response) => void this.save(request, response));

	static async start(): Promise<Crm> {
		const crm = new Crm();
		crm.url = `${await listenOnFreePort(crm.server)}/customers`;
		return crm;
	}

	get savedIds(): string[] {
		return this.saved.map(({ id }) => id);
	}

	/**
	 * n8n's own HTTP Request node that saves a customer here.
	 *
	 * @param id an expression for the customer's ID
	 */
	node(id = '$json.customerId'): SavedNode {
		return node('CRM', 'n8n-nodes-base.httpRequest', 4.2, {
			method: 'POST',
			url: this.url,
			sendBody: true,
			specifyBody: 'json',
			jsonBody: `={{ JSON.stringify({ id: ${id} }) }}`,
			options: {},
		});
	}

	async close(): Promise<void> {
		this.server.closeAllConnections();
		await new Promise((resolve) => this.server.close(resolve));
	}

	private async save(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const customer = (await json(request)) as { id: string };
		const isDown = this.failures > 0;
		if (isDown) this.failures--;
		else this.saved.push(customer);
		response.writeHead(isDown ? 500 : 200, { 'content-type': 'application/json' }).end('{}');
	}
}
