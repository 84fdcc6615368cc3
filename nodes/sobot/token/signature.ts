// Signs a request for Sobot's token.
import { createHash } from 'crypto';

/**
 * The `sign` of `get_token`: lower-case hex of `md5(appid + create_time + app_key)`.
 *
 * @param createTime Unix time in seconds, exactly as sent in `create_time`
 * @see Sobot, "Rule Engine API", get_token
 */
export function signTokenRequest(appId: string, appKey: string, createTime: string): string {
	return createHash('md5').update(`${appId}${createTime}${appKey}`).digest('hex');
}
