// Sobot's answer for each return code: HTTP status and `ret_msg`, in the words of the overseas and the mainland service.

/** The service that answers: sg.sobot.io and us.sobot.com, or one of the mainland's. */
export type ServiceProfile = 'overseas' | 'mainland';

interface Words {
	httpStatus: number;
	overseas: string;
	mainland: string;
}

/**
 * Source: Sobot, "Rule Engine API", Return codes, for the statuses and the English. Of the Chinese only 000000 and 900004
 * are quoted from live answers; the others, and 700046, are translations of ours.
 */
const WORDS: Readonly<Record<string, Words>> = {
	'000000': { httpStatus: 200, overseas: 'Operation done', mainland: '操作成功' },
	'700046': {
		httpStatus: 200,
		overseas: 'The current plan does not support API access',
		mainland: '当前版本不支持API接口',
	},
	'900001': { httpStatus: 200, overseas: 'Null token', mainland: 'token为空' },
	'900002': {
		httpStatus: 200,
		overseas: 'Token expired. Get a new one',
		mainland: 'token已过期，请重新获取',
	},
	'900003': { httpStatus: 200, overseas: 'Incorrect signature', mainland: '签名错误' },
	'900004': {
		httpStatus: 200,
		overseas: 'Company api configuration info not found',
		mainland: '没有找到公司的api配置信息!',
	},
	'910021': {
		httpStatus: 400,
		overseas: 'Missing trigger-id/token parameter',
		mainland: '缺少trigger-id/token参数',
	},
	'910022': {
		httpStatus: 400,
		overseas: 'Illegal trigger-id/token parameter',
		mainland: 'trigger-id/token参数不合法',
	},
	'910023': {
		httpStatus: 400,
		overseas: 'Illegal customer ID field parameter',
		mainland: '客户ID字段参数不合法',
	},
	'910024': {
		httpStatus: 400,
		overseas: 'triggerId exceeds the QPS limit',
		mainland: 'triggerId超过QPS限制',
	},
	'910025': { httpStatus: 400, overseas: 'Canvas not activated', mainland: '画布未启用' },
	'910026': { httpStatus: 400, overseas: 'No matching customer', mainland: '没有匹配的客户' },
	'999999': { httpStatus: 200, overseas: 'Unknown System Exception', mainland: '系统未知异常' },
};

/** All codes that the document lists, and 700046. */
export const CODES = Object.keys(WORDS);

/** HTTP status of an answer with this code; 200 for one that is not listed. */
export function httpStatusOf(code: string): number {
	return WORDS[code]?.httpStatus ?? 200;
}

/** The `ret_msg` beside a code; empty for one that is not listed. */
export function retMsgOf(code: string, profile: ServiceProfile): string {
	return WORDS[code]?.[profile] ?? '';
}
