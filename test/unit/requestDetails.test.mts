import { withoutSecrets } from '../../nodes/SobotWebhookApp/requestDetails';
import type { PushSecret } from '../../nodes/SobotWebhookApp/pushSecret';

const SECRET: PushSecret = {
	method: 'query',
	parameterName: 'key',
	headerName: 'x-sobot-key',
	user: 'sobot',
	secret: 's3 cret',
};

test('leaves out what carries credentials, and keeps the rest', () => {
	const request = {
		method: 'POST',
		query: { key: 's3 cret', a: '1' },
		headers: { Authorization: 'x', cookie: 'c', 'proxy-authorization': 'p', 'x-trace': 't' },
	};
	const kept = { method: 'POST', query: { a: '1' }, headers: { 'x-trace': 't' } };
	expect(withoutSecrets(request, SECRET)).toEqual(kept);
	expect(withoutSecrets({ ...request, query: { a: '1' } })).toEqual(kept);
});

test('leaves out the header that carries the secret', () => {
	const request = { method: 'POST', query: {}, headers: { 'x-sobot-key': 's3 cret', a: '1' } };
	expect(withoutSecrets(request, { ...SECRET, method: 'header' }).headers).toEqual({ a: '1' });
});

test.each([
	['as it is', 'https://n8n/webhook?key=s3 cret'],
	['percent-encoded', '/webhook?key=s3%20cret&a=%zz'],
	['percent-encoded without need', '/webhook?key=%733%20cret'],
	['with a plus for the blank', '/webhook?key=s3+cret'],
	['in a list', ['a', 's3 cret']],
	['in an object', { a: { b: 's3 cret' } }],
	['as basic authentication', `Basic ${Buffer.from('sobot:s3 cret').toString('base64')}`],
])('leaves out a value that contains the secret %s', (_, value) => {
	const request = {
		method: 'POST',
		query: { other: value, a: '1' },
		headers: { 'x-original-url': value, referer: 'https://n8n/?a=100%' },
	};
	expect(withoutSecrets(request, SECRET)).toEqual({
		method: 'POST',
		query: { a: '1' },
		headers: { referer: 'https://n8n/?a=100%' },
	});
});
