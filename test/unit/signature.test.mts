import { signTokenRequest } from '../../nodes/sobot/token/signature';

test("gives the signature of Sobot's published vector", () => {
	expect(signTokenRequest('1', '2', '1569397773')).toBe('258eec3118705112b2c53dc8043d4d34');
});

test('signs what is not ASCII as UTF-8', () => {
	expect(signTokenRequest('智齿', 'ключ', '1569397773')).toBe('a498a9480d65ff0ee54ba92077277bf2');
});
