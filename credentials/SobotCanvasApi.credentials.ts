// One canvas: the pair of trigger ID and secret that Sobot shows when a canvas is started by API.
import type { Icon, ICredentialType, INodeProperties } from 'n8n-workflow';

export class SobotCanvasApi implements ICredentialType {
	name = 'sobotCanvasApi';

	displayName = 'Sobot Canvas API';

	icon: Icon = { light: 'file:../nodes/sobot/sobot.svg', dark: 'file:../nodes/sobot/sobot.dark.svg' };

	documentationUrl = 'https://developer.sobot.io/en/pages/klm13z';

	properties: INodeProperties[] = [
		{
			displayName:
				'One credential for each canvas. Sobot offers no way to try these without putting a customer on the canvas, so the test only checks their form.',
			name: 'testNotice',
			type: 'notice',
			default: '',
		},
		{
			displayName: 'Trigger ID',
			name: 'triggerId',
			type: 'string',
			default: '',
			required: true,
			placeholder: 'e.g. 1234567890123456789',
			description: 'The 19-digit trigger-id that Sobot shows in the settings of the canvas',
		},
		{
			displayName: 'Secret',
			name: 'secret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			description: 'The secret that Sobot shows beside the trigger ID',
		},
	];
}
