/** Parts of the desk in Chromium, over clients that are made up: rows, what is new, what was refused, the end, names, and words. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import type { Chat, Client, Item, OutgoingMessage } from '../src/client/index.js';
import { Browsing } from './browsing.js';
import { ANN, BEN, World } from './world.js';

const EN = { locale: 'en-US', colorScheme: 'light' } as const;
const ZH = { locale: 'zh-CN', colorScheme: 'light' } as const;

let browsing: Browsing;

before(async () => (browsing = await Browsing.start()));
after(() => browsing.end());

async function blank(look: typeof EN | typeof ZH, body: string): Promise<Page> {
  const page = await browsing.window(look);
  await page.goto(`${browsing.server.url}/`);
  await page.evaluate((html) => (document.body.innerHTML = html), body);
  return page;
}

/** Runs inside Chromium: a list of two conversations while time goes by, and one of them goes and comes back. */
async function listInBrowser(): Promise<unknown> {
  const [list, thread, detail] = ['/desk/conversation_list.js', '/desk/threads.js', '/desk/details.js'];
  const { ConversationList } = (await import(list)) as typeof import('../src/desk/conversation_list.js');
  const { Threads } = (await import(thread)) as typeof import('../src/desk/threads.js');
  const { Details } = (await import(detail)) as typeof import('../src/desk/details.js');
  let [now, assignment] = [0, 5];
  const chat = (id: string) => ({
    id, shop: 'shop', customer: `customer-${id}`, joined: true, described: true, lastMessageAt: 0,
    conversation: { id: `of-${id}`, status: 'serving', agent: 'me' },
    messages: [{ category: 'customer', conversation: `of-${id}`, createdAt: 0, content: 'hello', visibility: 'all' }],
  });
  const state = { me: 'me', chats: { one: chat('one'), two: chat('two') } as unknown as Record<string, Chat> };
  const api = { in: async () => ({ entry_page: 'shop', entry_subject: null, assignment }) };
  const client = { state, api, serverNow: () => now, unread: () => 0 } as unknown as Client;
  const chosen: string[] = [];
  const made = () => {
    const threads = new Threads(client, () => undefined);
    const details = new Details(client, () => undefined);
    return new ConversationList({ client, threads, details, choose: (id) => chosen.push(id) });
  };
  const conversations = made();
  const assigned = (number: number) =>
    conversations.happened({ k: 'conversation', event: 'agent_assigned', conversation: 'of-one', agent: 'me', assignment: number } as Item);
  const row = () => document.querySelector('[data-chat=one]') as HTMLButtonElement;
  const isNew = () => !(row().querySelector('.tag:not(.thread)') as HTMLElement).hidden;
  const settled = () => new Promise((done) => setTimeout(done));
  const seen: unknown[] = [];

  conversations.update(null);
  const [before, words] = [row(), row().textContent];
  before.focus();
  now = 61_000;
  conversations.update(null);
  before.click();
  seen.push([row() === before, row().textContent !== words, row().textContent?.includes('1:01'), document.activeElement === before, chosen]);
  // Whoever waits longest stands on top: the row goes down, and up again.
  for (const createdAt of [-1_000, 1_000]) {
    Object.assign(state.chats['two']?.messages[0] ?? {}, { createdAt });
    conversations.update(null);
    seen.push([document.querySelectorAll('[data-chat]')[0] === before, document.activeElement === before]);
  }

  const accept = () => conversations.accept(state.chats['one'] as Chat);
  const look = () => {
    conversations.update(null);
    seen.push(isNew());
  };
  assigned(5);
  look();
  seen.push(accept(), accept());
  look();
  assigned(7);
  look();
  seen.push(accept(), accept());
  look();
  // The page is loaded anew, and meanwhile the conversation was elsewhere.
  assignment = 9;
  document.querySelector('#open')?.replaceChildren();
  const later = made();
  later.update(null);
  seen.push(isNew());
  await settled();
  later.update(null);
  seen.push(isNew());
  return seen;
}

test('a row stays while its clock goes on, and a conversation that comes back is new', async () => {
  const page = await blank(EN, '<ul id="open"></ul><h2 id="threads-title"></h2><ul id="threads"></ul>');
  const [clock, down, up, ...marks] = (await page.evaluate(listInBrowser)) as unknown[];
  assert.deepEqual(clock, [true, true, true, true, ['one']]);
  assert.deepEqual([down, up], [[false, true], [true, true]]);
  assert.deepEqual(marks, [true, true, false, false, true, true, false, false, false, true]);
});

/** Runs inside Chromium: more people wait than are shown. */
async function waitingInBrowser(): Promise<unknown> {
  const library = '/desk/waiting.js';
  const { Waiting } = (await import(library)) as typeof import('../src/desk/waiting.js');
  let now = 0;
  const picked: string[] = [];
  const data = Array.from({ length: 25 }, (_, nth) => ({ conversation: `c${nth}`, group: 'main', enqueued_at: 0 }));
  const api = { in: async () => ({ data }), pick: async (id: string) => void picked.push(id) };
  const waiting = new Waiting({ api, serverNow: () => now, status: { state: 'online' } } as unknown as Client);
  waiting.update(true);
  await new Promise((done) => setTimeout(done));
  waiting.update(true);
  const button = document.querySelector('#waiting button') as HTMLButtonElement;
  button.focus();
  now = 65_000;
  waiting.update(true);
  button.click();
  const wait = document.querySelector('#waiting .wait')?.textContent;
  const [more, rows] = [document.querySelector('#waiting .more')?.textContent, document.querySelectorAll('#waiting button').length];
  return [document.activeElement === button, wait, picked, more, rows];
}

test('the rows of who waits stay as well, and say how many are not shown', async () => {
  const page = await blank(EN, '<h2 id="waiting-title"></h2><ul id="waiting"></ul>');
  assert.deepEqual(await page.evaluate(waitingInBrowser), [true, 'waits 1:05', ['c0'], 'the first 20 of 25', 20]);
});

/** Runs inside Chromium: a message that is refused after its chat is gone. */
async function refusedInBrowser(): Promise<unknown> {
  const [library, store] = ['/desk/refused.js', '/desk/kept.js'];
  const { Refused } = (await import(library)) as typeof import('../src/desk/refused.js');
  const { Kept } = (await import(store)) as typeof import('../src/desk/kept.js');
  let copied = '';
  Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text: string) => void (copied = text) } });
  const list = document.querySelector('#refused') as HTMLElement;
  const titles: Record<string, string> = { gone: 'Customer 12AB' };
  let outgoing = [{ id: 'a', chat: 'gone', draft: { content: 'I looked it up.' }, state: 'waiting', code: null }] as OutgoingMessage[];
  const client = { outgoing: () => outgoing, discard: (id: string) => (outgoing = outgoing.filter((one) => one.id !== id)) };
  const kept = new Kept(sessionStorage, 'test.');
  const made = () => new Refused({ client: client as unknown as Client, list, kept, titleOf: (chat) => titles[chat] ?? null });
  made().update('gone');
  const seen: unknown[] = [list.hidden];
  // The page is loaded anew, and the chat is not there any more.
  delete titles['gone'];
  const refused = made();
  refused.update(null);
  outgoing = outgoing.map((message) => ({ ...message, state: 'failed', code: 'not_a_member' }));
  refused.update('gone');
  seen.push(list.hidden);
  refused.update('another');
  seen.push(list.hidden, list.querySelector('.grow > div')?.textContent, list.querySelector('blockquote')?.textContent);
  const [copy, discard] = [...list.querySelectorAll('button')];
  copy?.click();
  discard?.click();
  refused.update('another');
  seen.push(copied, list.hidden);
  return seen;
}

test('what was refused where nobody sees it stays on the desk with its text and its addressee', async () => {
  const page = await blank(EN, '<ul id="refused"></ul><p id="notice"></p>');
  const words = 'Not sent to Customer 12AB: you are not in this chat any more';
  assert.deepEqual(await page.evaluate(refusedInBrowser), [true, true, false, words, 'I looked it up.', 'I looked it up.', true]);
});

test('what is on its way is told of all chats, also of those that are gone', async () => {
  const world = new World();
  const chats = [world.server.openChat(ANN), world.server.openChat('cat')];
  for (const chat of chats) world.server.assign(chat, BEN);
  const { client } = await world.device(BEN);
  for (const chat of chats) await client.send(chat, { content: `to ${chat.slice(-2)}` });
  const words = chats.map((chat) => `to ${chat.slice(-2)}`);
  assert.deepEqual(client.outgoing().map(({ draft }) => draft.content), words);
  assert.deepEqual(client.outgoing(chats[1]).map(({ draft }) => draft.content), words.slice(1));
  await client.stop();
});

/** Runs inside Chromium: names that colleagues have spoken under. */
async function namesInBrowser(): Promise<string[]> {
  const [library, store] = ['/desk/names.js', '/desk/kept.js'];
  const { Colleagues } = (await import(library)) as typeof import('../src/desk/names.js');
  const { Kept } = (await import(store)) as typeof import('../src/desk/kept.js');
  const said = (from: string, category: string, senderName: string | null) => ({ from, category, senderName });
  const messages = [said('a1b2c', 'agent', 'Bob'), said('d3e4f', 'customer', 'Ann'), said('a1b2c', 'agent', 'Bob B.')];
  const client = { state: { chats: { one: { messages } } } } as unknown as Client;
  const kept = new Kept(sessionStorage, 'test.');
  const colleagues = new Colleagues(client, kept);
  colleagues.learn();
  const later = new Colleagues({ state: { chats: {} } } as unknown as Client, kept);
  return [colleagues.nameOf('a1b2c'), colleagues.nameOf('d3e4f'), later.nameOf('a1b2c')];
}

test('colleagues have the names under which they have spoken, also after the chat is gone', async () => {
  assert.deepEqual(await (await blank(EN, '')).evaluate(namesInBrowser), ['Bob B.', '3E4F', 'Bob B.']);
});

/** Runs inside Chromium: a conversation is ended while it goes on. */
async function endingInBrowser(): Promise<unknown> {
  const library = '/desk/ending.js';
  const { end } = (await import(library)) as typeof import('../src/desk/ending.js');
  const listeners = new Set<() => void>();
  const ended: unknown[] = [];
  const chat = { id: 'one', lastSeq: 5, conversation: { id: 'c' }, messages: [] as { seq: number; category: string }[] };
  const client = {
    state: { chats: { one: chat } },
    subscribe: (listener: () => void) => (listeners.add(listener), () => listeners.delete(listener)),
    api: { end: async (id: string, seen: number) => void ended.push([id, seen]) },
  } as unknown as Client;
  const said = (category: string) => {
    chat.messages.push({ seq: (chat.lastSeq += 1), category });
    for (const listener of listeners) listener();
  };
  const yes = () => document.querySelector('dialog button.strong') as HTMLButtonElement;
  const looks: unknown[] = [];
  const look = () => looks.push([(document.querySelector('dialog .warning') as HTMLElement).hidden, yes().disabled]);
  let over = end(client, chat as unknown as Chat);
  said('agent');
  look();
  yes().click();
  await over;
  over = end(client, chat as unknown as Chat);
  said('customer');
  look();
  (document.querySelector('dialog button[value=no]') as HTMLElement).click();
  await over;
  return { looks, ended, left: [document.querySelectorAll('dialog').length, listeners.size] };
}

test('ending counts what was there when it was asked for, and tells what the customer writes meanwhile', async () => {
  const page = await blank(EN, '');
  const seen = await page.evaluate(endingInBrowser);
  assert.deepEqual(seen, { looks: [[true, false], [false, true]], ended: [['c', 5]], left: [0, 0] });
});

/** Runs inside Chromium: what codes and errors are called. */
async function wordsInBrowser(): Promise<string[]> {
  const [library, of] = ['/desk/reasons.js', '/client/index.js'];
  const { reason, reasonOf } = (await import(library)) as typeof import('../src/desk/reasons.js');
  const { ApiError, NetworkError, SignedOutError } = (await import(of)) as typeof import('../src/client/index.js');
  const errors = [new NetworkError(null), new ApiError(409, 'already_rated', ''), new ApiError(503, 'in_doubt', ''), new SignedOutError('x')];
  return [...errors.map(reason), ...['staff_only', 'too_long', 'no_such_code', 'toString'].map(reasonOf)];
}

test('codes are words in both languages, and one that has no word is told in brackets', async () => {
  assert.deepEqual(await (await blank(EN, '')).evaluate(wordsInBrowser), [
    'the server does not answer; check the network and try again',
    'the customer has rated already',
    'the server cannot do it at the moment; try again',
    'you are signed out; sign in again',
    'what answers a note can only be a note',
    'something went wrong (too_long)',
    'something went wrong (no_such_code)',
    'something went wrong (toString)',
  ]);
  const words = await (await blank(ZH, '')).evaluate(wordsInBrowser);
  assert.deepEqual(words.slice(0, 2), ['服务器没有响应，请检查网络后重试', '顾客已经评价过了']);
  assert.equal(words[6], '出现了问题（no_such_code）');
});
