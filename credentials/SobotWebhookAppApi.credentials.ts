// The secret that a push must carry for the trigger to accept it. Sobot does not sign its pushes.
import type { Icon, ICredentialType, INodeProperties } from 'n8n-workflow';

/** A secret that the user makes up: in a query parameter, a header or basic authentication. */
export class SobotWebhookAppApi implements ICredentialType {
	name = 'sobotWebhookAppApi';

	displayName = 'Sobot Webhook App API';

	icon: Icon = { light: 'file:../nodes/sobot/sobot.svg', dark: 'file:../nodes/sobot/sobot.dark.svg' };

	documentationUrl = 'https://github.com/n8n-nodes-sobot/n8n-nodes-sobot#credentials';

	/** n8n 2.4x refuses the secret to any other node; older versions ignore this. */
	restrictToSupportedNodes = true as const;

	properties: INodeProperties[] = [
		{
			displayName:
				'Make up this secret yourself, for example with a password manager: 32 letters and digits. Sobot does not issue it, and it is not the secret of a canvas. Keep a copy: n8n does not show it again, and you need it for the URL in Sobot.',
			name: 'makeUpNotice',
			type: 'notice',
			default: '',
		},
		{
			displayName: 'Method',
			name: 'method',
			type: 'options',
			default: 'query',
			options: [
				{
					name: 'Basic Authentication',
					value: 'basic',
					description:
						'The push carries a user and a password, for example in the URL that you enter in Sobot: https://user:password@... Percent-encode all characters there that are not letters or digits.',
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
			description: 'How a push proves that it comes from your Sobot account',
		},
		{
			displayName: 'Parameter Name',
			name: 'parameterName',
			type: 'string',
			default: 'key',
			required: true,
			description:
				'Only the name. In Sobot, append it with your secret to the Production URL, for example ?key=YOUR-SECRET.',
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
			description: 'The value of the parameter or header. Use a long random string of letters and digits.',
			displayOptions: { show: { method: ['query', 'header'] } },
		},
		{
			displayName: 'Password',
			name: 'secret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			required: true,
			description: 'Use a long random string of letters and digits',
			displayOptions: { show: { method: ['basic'] } },
		},
	];
}
