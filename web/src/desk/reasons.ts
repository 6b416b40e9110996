/** Why something was not done, in words: of the codes of docs/API.md those that an agent can meet, and a general word for the others. */

import { ApiError, NetworkError, SignedOutError } from '../client/index.js';
import { speaker } from '../page/language.js';
import { notice } from '../page/notice.js';

const REASONS = {
  not_done: ['未完成：{reason}', 'Not done: {reason}'],
  other: ['出现了问题（{code}）', 'something went wrong ({code})'],
  no_answer: ['服务器没有响应，请检查网络后重试', 'the server does not answer; check the network and try again'],
  signed_out: ['登录已失效，请重新登录', 'you are signed out; sign in again'],
  not_a_member: ['您已不在该会话中', 'you are not in this chat any more'],
  not_yours_any_more: ['会话已由其他客服接待', 'the conversation is with somebody else now'],
  not_permitted: ['您没有此权限', 'you have no permission for it'],
  not_found: ['内容不存在或已被移除', 'it does not exist, or not any more'],
  staff_only: ['引用内部备注的消息只能是内部备注', 'what answers a note can only be a note'],
  blocked: ['该顾客已被拉黑', 'the customer is blocked'],
  already_rated: ['顾客已经评价过了', 'the customer has rated already'],
  nothing_to_rate: ['没有可评价的服务', 'there is nothing to rate'],
  conversation_closed: ['会话已结束', 'the conversation has ended'],
  another_conversation: ['该顾客已开始新的会话', 'the customer has begun another conversation'],
  reopen_window_over: ['会话结束太久，不能重新打开', 'the conversation ended too long ago'],
  agent_at_capacity: ['客服接待量已满', 'that agent has no free place'],
  agent_not_available: ['该客服现在不能接待', 'that agent does not take conversations now'],
  not_at_the_desk: ['会话已不在排队或接待中', 'the conversation neither waits nor is served any more'],
  not_picked: ['此队列由系统自动分配', 'conversations of this queue are assigned automatically'],
  other_group: ['会话属于其他分组', 'the conversation belongs to another group'],
  not_on_service: ['请先开始接待', 'go on service first'],
  deactivated: ['账号已停用', 'the account was closed'],
  not_recallable: ['这条消息不能撤回', 'this message cannot be recalled'],
  recall_window_over: ['超过可撤回的时间', 'it is too late to recall it'],
  dissolved: ['群聊已解散', 'the thread was dissolved'],
  client_id_too_old: ['消息搁置太久，请重新发送', 'the message waited too long; send it again'],
  attachment_gone: ['文件已失效，请重新上传', 'the file is not there any more; upload it again'],
  gone: ['内容已被删除', 'it was removed'],
  too_long: ['内容太长', 'it is too long'],
  kind_not_allowed: ['不接受此类文件', 'files of this kind are not accepted'],
  busy: ['系统繁忙，请稍后再试', 'too much is going on; try again in a moment'],
  later: ['服务暂时不可用，请稍后再试', 'the server cannot do it at the moment; try again'],
  robot_failed: ['机器人没有给出建议', 'the robot gave no suggestion'],
} as const;

type Word = keyof typeof REASONS;
const say = speaker(REASONS);

/** Codes that mean the same to an agent as another word. */
const SAME: Readonly<Record<string, Word>> = {
  forbidden: 'not_permitted',
  wrong_tenant: 'not_permitted',
  no_route: 'not_found',
  expired: 'signed_out',
  revoked: 'signed_out',
  unauthorized: 'signed_out',
  invalid_token: 'signed_out',
  erased: 'gone',
  message_too_long: 'too_long',
  text_too_long: 'too_long',
  too_large: 'too_long',
  does_not_serve: 'agent_not_available',
  over_quota: 'busy',
  desk_full: 'busy',
  too_many_attempts: 'busy',
  behind: 'later',
  contended: 'later',
  unavailable: 'later',
  not_owner: 'later',
  not_ready: 'later',
  shutting_down: 'later',
  in_doubt: 'later',
  internal: 'later',
  robot_resting: 'robot_failed',
  robot_timed_out: 'robot_failed',
};
/** Words that are no codes themselves. */
const NO_CODES: ReadonlySet<string> = new Set(['not_done', 'other', 'no_answer', 'too_long', 'later'] satisfies Word[]);

/** The words for a code. */
export function reasonOf(code: string): string {
  if (Object.hasOwn(SAME, code)) return say(SAME[code] ?? 'other');
  if (Object.hasOwn(REASONS, code) && !NO_CODES.has(code)) return say(code as Word);
  return say('other', { code });
}

/** The words for whatever was thrown. */
export function reason(error: unknown): string {
  if (error instanceof NetworkError) return say('no_answer');
  if (error instanceof SignedOutError) return say('signed_out');
  if (error instanceof ApiError) return reasonOf(error.code);
  return reasonOf(error instanceof Error ? error.message : String(error));
}

/** Shows why something was not done. */
export function trouble(error: unknown): void {
  notice(say('not_done', { reason: reason(error) }), 'bad');
}
