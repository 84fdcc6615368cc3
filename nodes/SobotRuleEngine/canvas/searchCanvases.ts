// The list behind the parameter 'Canvas'.
import { NodeOperationError, type ILoadOptionsFunctions, type INodeListSearchResult } from 'n8n-workflow';
import { readCanvases } from '../../sobot/account/canvasRows';

/** The canvases of the credential whose name or trigger ID contains `filter`. */
export async function searchCanvases(
	this: ILoadOptionsFunctions,
	filter = '',
): Promise<INodeListSearchResult> {
	const rows = readCanvases(await this.getCredentials('sobotApi'));
	if ('reason' in rows) throw new NodeOperationError(this.getNode(), rows.reason);
	if (rows.canvases.length === 0) {
		throw new NodeOperationError(
			this.getNode(),
			"The Sobot API credential has no canvases yet. Add one there under 'Canvases'.",
		);
	}
	const wanted = filter.trim().toLowerCase();
	return {
		results: rows.canvases
			.filter(({ name, triggerId }) => `${name}\n${triggerId}`.toLowerCase().includes(wanted))
			.map(({ name, triggerId }) => ({ name, value: triggerId })),
	};
}
