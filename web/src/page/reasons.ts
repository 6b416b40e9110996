/** Why something was not done, in words: the codes of docs/API.md that people meet, and one sentence for all others. */

import { ApiError, NetworkError, SignedOutError, StoreError } from '../client/index.js';
import { type Texts, speaker } from './language.js';

const REASONS = {
  unknown: ['未能完成，请稍后再试', 'That did not work. Please try again later.'],
  no_answer: ['服务器没有应答，请检查网络后再试', 'No answer. Please check your connection and try again.'],
  busy: ['现在使用的人较多，请稍后再试', 'Too much is going on right now. Please try again in a moment.'],
  store_failed: ['浏览器无法保存', 'This browser cannot keep it.'],
  signed_out: ['登录已失效', 'You are signed out.'],
  not_allowed: ['您无权执行此操作', 'You may not do this.'],
  blocked: ['暂时无法为您提供服务', 'We cannot serve you at the moment.'],
  not_found: ['没有找到：链接可能已失效', 'This is not there, or not any more. The link may be wrong.'],
  invalid_field: ['内容有误，请检查后再试', 'Something in it is not right. Please check it.'],
  invalid_value: ['文件为空或无法使用', 'The file is empty or cannot be used.'],
  message_empty: ['消息为空', 'The message is empty.'],
  message_too_long: ['消息太长', 'The message is too long.'],
  bad_frame: ['这条消息无法发送', 'This message cannot be sent.'],
  recall_window_over: ['已超过可撤回的时间', 'It is too late to recall this message.'],
  not_recallable: ['这条消息不能撤回', 'This message cannot be recalled.'],
  already_rated: ['您已经评价过了', 'You have rated this already.'],
  nothing_to_rate: ['目前没有可评价的服务', 'There is nothing to rate.'],
  invalid_score: ['请选择评分', 'Please choose a score.'],
  rating_too_long: ['评价内容太长', 'The comment is too long.'],
  conversation_closed: ['会话已结束', 'This conversation has ended.'],
  reopen_window_over: ['会话已结束太久，请重新联系', 'This conversation ended too long ago. Please begin a new one.'],
  no_button: ['目前不能转人工', 'You cannot ask for a person at the moment.'],
  too_large: ['文件太大', 'The file is too large.'],
  kind_not_allowed: ['不接受此类文件', 'Files of this kind are not accepted.'],
  attachment_gone: ['文件已不存在，请重新上传', 'The file is gone. Please upload it again.'],
  gone: ['内容已不存在', 'This is gone.'],
  not_yours_any_more: ['会话已由其他客服接手', 'Somebody else has this conversation now.'],
  agent_at_capacity: ['该客服的会话已满', 'This agent has no room for another conversation.'],
  agent_not_available: ['该客服现在无法接待', 'This agent is not available.'],
  not_permitted: ['您无权执行此操作', 'You may not do this.'],
  robot_failed: ['机器人没有给出回答', 'The robot did not answer.'],
} as const satisfies Texts<string>;

type Reason = keyof typeof REASONS;

/** Codes that mean the same to whoever reads it. */
const SAME: Record<string, Reason> = {
  over_quota: 'busy',
  too_many_attempts: 'busy',
  too_many_sign_ins: 'busy',
  too_many_sockets: 'busy',
  desk_full: 'busy',
  behind: 'busy',
  contended: 'busy',
  unavailable: 'busy',
  in_doubt: 'busy',
  not_ready: 'busy',
  shutting_down: 'busy',
  forbidden: 'not_allowed',
  not_a_member: 'not_allowed',
  staff_only: 'not_allowed',
  not_the_customer: 'not_allowed',
  wrong_tenant: 'not_allowed',
  other_group: 'not_allowed',
  erased: 'gone',
  robot_resting: 'robot_failed',
  robot_timed_out: 'robot_failed',
  not_at_the_desk: 'not_yours_any_more',
};

const say = speaker(REASONS);

/** What a code of the API means, for whoever reads the page. */
export function reasonOf(code: string): string {
  const reason = Object.hasOwn(REASONS, code) ? (code as Reason) : Object.hasOwn(SAME, code) ? SAME[code] : undefined;
  return say(reason ?? 'unknown');
}

/** What went wrong, for whoever reads the page. */
export function reason(error: unknown): string {
  if (error instanceof ApiError) return reasonOf(error.code);
  if (error instanceof NetworkError) return say('no_answer');
  if (error instanceof SignedOutError) return say('signed_out');
  if (error instanceof StoreError) return say('store_failed');
  return say('unknown');
}
