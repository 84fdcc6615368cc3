// What a push has to carry so that the trigger takes it. Sobot does not sign its pushes.
import type { Icon, ICredentialType, INodeProperties } from 'n8n-workflow';

export class SobotWebhookAppApi implements ICredentialType {
	name = 'sobotWebhookAppApi';

	displayName = 'Sobot Webhook App API';

	icon: Icon = { light: 'file:../nodes/sobot/sobot.svg', dark: 'file:../nodes/sobot/sobot.dark.svg' };

	documentationUrl = 'https://developer.sobot.io/en/pages/klm13z';

	properties: INodeProperties[] = [
		{
			displayName: 'Method',
			name: 'method',
			type: 'options',
			default: 'query',
			options: [
				{
					name: 'Basic Authentication',
					value: 'basic',
					description: 'The push carries a user and a password, for example in its URL',
				},
				{
					name: 'Header',
					value: 'header',
					description: 'The push carries a header, for example added by your proxy',
				},
				{
					name: 'Query Parameter',
					value: 'query',
					description: 'You add ?name=secret to the URL that you enter in Sobot. Works everywhere.',
				},
			],
			description: 'How a push shows that it comes from your Sobot account',
		},
		{
			displayName: 'Parameter Name',
			name: 'parameterName',
			type: 'string',
			default: 'key',
			required: true,
			description: 'Enter the production URL in Sobot with this at its end: ?key= and the secret',
			displayOptions: { show: { method: ['query'] } },
		},
		{
			displayName: 'Header Name',
			name: 'headerName',
			type: 'string',
			default: 'x-sobot-key',
			required: true,
			displayOptions: { show: { method: ['header'] } },
		},
		{
			displayName: 'User',
			name: 'user',
			type: 'string',
			default: '',
			required: true,
			displayOptions: { show: { method: ['basic'] } },
		},
		{
			displayName: 'Secret',
			name: 'secret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			description:
				'The value of the parameter or header, or the password. Use a long random text of letters and digits.',
		},
	];
}
