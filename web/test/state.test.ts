/** The state: lists, items and histories in any mixture. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Category, type Chat, type Item, type WireChat, type WireMessage, waitingSince } from '../src/client/index.js';
import { applyDescription, applyHistory, applyItem, applyListed, applyUnread, emptyState } from '../src/client/state.js';

const ME = 'me';
const CHAT = 'chat';

function message(seq: number, category: Category, change: Partial<WireMessage> = {}): WireMessage {
  return {
    id: `message-${seq}`,
    client_msg_id: `client-${seq}`,
    chat: CHAT,
    conversation: 'first',
    seq,
    category,
    style: 'normal',
    kind: 'text',
    content: `text ${seq}`,
    from: category === 'customer' ? 'customer' : ME,
    visibility: 'all',
    created_at: seq * 1_000,
    is_recalled: false,
    is_deleted: false,
    is_read: false,
    ...change,
  };
}

let index = 0;
const item = (what: object) => ({ t: 'item', i: (index += 1), p: index - 1, pos: 's0c1e0', at: 0, chat: CHAT, ...what }) as unknown as Item;

const listed: WireChat = {
  chat: CHAT,
  shop: 'shop',
  customer: 'customer',
  conversation: { id: 'first', status: 'serving', agent: ME },
  last_seq: 3,
  read_seq: 0,
  unread: 2,
  last_message_at: 3_000,
};

function begun(): { state: ReturnType<typeof emptyState>; chat: Chat } {
  const state = emptyState(ME);
  applyListed(state, listed);
  const chat = state.chats[CHAT];
  assert.ok(chat);
  return { state, chat };
}

test('a history that was read before a recall does not bring the words back', () => {
  const { state, chat } = begun();
  applyItem(state, item({ k: 'recalled', message: 'message-2', seq: 2, by: 'customer' }));
  applyItem(state, item({ k: 'read', reader: 'customer', up_to_seq: 1 }));
  applyHistory(state, CHAT, 1, [message(1, 'agent'), message(2, 'customer'), message(3, 'customer')]);
  assert.deepEqual(chat.messages.map(({ content }) => content), ['text 1', null, 'text 3']);
  assert.equal(chat.messages[0]?.read, true);
  assert.equal(chat.loadedFrom, 1);
});

test('what was recalled or hidden does not live on in a quote, whichever comes first', () => {
  for (const k of ['recalled', 'hidden']) {
    const quoting = (seq: number) => message(seq, 'agent', { quote: 'message-1', quote_text: 'text 1' });
    const quotes = (chat: Chat) => chat.messages.filter(({ quote }) => quote !== null).map(({ quoteText }) => quoteText);
    const { state, chat } = begun();
    applyHistory(state, CHAT, 1, [message(1, 'customer'), quoting(2)]);
    applyItem(state, item({ k: 'message', m: quoting(3) }));
    assert.deepEqual(quotes(chat), ['text 1', 'text 1']);
    applyItem(state, item({ k, message: 'message-1', seq: 1, by: 'customer' }));
    assert.deepEqual(quotes(chat), [null, null]);
    applyItem(state, item({ k: 'message', m: quoting(4) }));
    assert.deepEqual(quotes(chat), [null, null, null], 'a quote that comes when the message is known as taken back');

    const late = begun();
    applyItem(late.state, item({ k: 'message', m: quoting(3) }));
    applyItem(late.state, item({ k, message: 'message-1', seq: 1, by: 'customer' }));
    applyHistory(late.state, CHAT, 2, [quoting(2)]);
    assert.deepEqual(quotes(late.chat), [null, null], 'a message that is only known as taken back');
    applyHistory(late.state, CHAT, 1, [message(1, 'customer'), quoting(2)]);
    assert.deepEqual(quotes(late.chat), [null, null]);
  }
});

test('messages stand in the order of their places, however they came', () => {
  const { state, chat } = begun();
  applyItem(state, item({ k: 'message', m: message(5, 'customer') }));
  applyHistory(state, CHAT, null, [message(2, 'customer'), message(3, 'agent')]);
  applyItem(state, item({ k: 'message', m: message(4, 'agent') }));
  applyHistory(state, CHAT, 1, [message(1, 'customer'), message(5, 'customer')]);
  assert.deepEqual(chat.messages.map(({ seq }) => seq), [1, 2, 3, 4, 5]);
});

test('a late word about an earlier conversation does not touch the newer one', () => {
  const { state, chat } = begun();
  applyItem(state, item({ k: 'conversation', conversation: 'second', event: 'opened' }));
  for (const event of ['rated', 'closed', 'agent_released']) applyItem(state, item({ k: 'conversation', conversation: 'first', event }));
  assert.deepEqual(chat.conversation, { id: 'second', status: 'reception', agent: null, score: null, closeReason: null });
});

test('a description fills in what the feed does not say, and nothing else', () => {
  const state = emptyState(ME);
  applyItem(state, item({ k: 'joined', user: ME, role: 'agent' }));
  applyItem(state, item({ k: 'conversation', conversation: 'first', event: 'closed', reason: 'ended_by_agent' }));
  applyDescription(state, { ...listed, conversation: { id: 'first', status: 'serving', agent: ME, score: 4 } });
  const chat = state.chats[CHAT];
  assert.equal(chat?.shop, 'shop');
  assert.equal(chat?.conversation?.status, 'closed');
  assert.equal(chat?.conversation?.score, 4);
});

test('whoever leaves a chat does not see it any more, and begins anew when they are back', () => {
  const { state } = begun();
  applyItem(state, item({ k: 'member_left', user: ME }));
  assert.deepEqual([Object.keys(state.chats), Object.keys(state.unread)], [[], []]);
  applyItem(state, item({ k: 'joined', user: ME, role: 'agent' }));
  assert.equal(state.chats[CHAT]?.loadedFrom, null);
});

test('an item that a count has taken in already does not undo it, and a newer one does', () => {
  const { state } = begun();
  const left = item({ k: 'member_left', user: ME });
  const back = item({ k: 'joined', user: ME, role: 'agent' });
  applyUnread(state, { t: 'unread', chats: { [CHAT]: 4 }, whole: true }, back.i);
  applyItem(state, left);
  applyItem(state, back);
  assert.deepEqual(state.unread, { [CHAT]: 4 });
  applyItem(state, item({ k: 'member_left', user: ME }));
  assert.deepEqual(state.unread, {});
});

test('a customer waits since their first message after the last answer; notes are no answer', () => {
  const { state, chat } = begun();
  assert.equal(waitingSince(chat), null);
  applyHistory(state, CHAT, 1, [message(1, 'customer'), message(2, 'agent'), message(3, 'customer')]);
  applyItem(state, item({ k: 'message', m: message(4, 'agent', { visibility: 'staff' }) }));
  applyItem(state, item({ k: 'message', m: message(5, 'customer') }));
  assert.equal(waitingSince(chat), 3_000);
  applyItem(state, item({ k: 'message', m: message(6, 'agent') }));
  assert.equal(waitingSince(chat), null);
});

test('a kind of item that came after this client changes nothing', () => {
  const { state } = begun();
  const before = structuredClone(state);
  applyItem(state, item({ k: 'something_new', who: 'knows' }));
  applyItem(state, item({ k: 'message', gone: true }));
  assert.deepEqual(state, before);
});
