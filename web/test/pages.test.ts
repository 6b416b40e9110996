/** The pages in Chromium, against a real kefu: a customer's window and an agent's window, in both languages, light and dark. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import { Browsing, type Look, agentAt, bubble, customerAt, ends, keeps, says, serves } from './browsing.js';
import { type RealServer, SHOP, TENANT } from './real_server.js';

let browsing: Browsing;
let server: RealServer;

before(async () => {
  browsing = await Browsing.start();
  server = browsing.server;
});
after(() => browsing.end());

const window = (look: Look, width?: number): Promise<Page> => browsing.window(look, width);
const picture = (page: Page, name: string) => browsing.picture(page, name);

const LOOKS = [
  {
    name: 'zh-light',
    look: { locale: 'zh-CN', colorScheme: 'light' },
    words: { serving: '客服正在为您服务', fresh: '新会话', recalled: '消息已撤回', thanks: '感谢您的评价' },
  },
  {
    name: 'en-dark',
    look: { locale: 'en-US', colorScheme: 'dark' },
    words: { serving: 'You are talking with an agent', fresh: 'New', recalled: 'Message recalled', thanks: 'Thank you for your rating' },
  },
] as const;

for (const { name, look, words } of LOOKS) {
  test(`a customer and an agent talk (${name})`, async () => {
    const desk = await window(look);
    const customer = await window(look, 480);
    await desk.goto(`${server.url}/desk/?tenant=${TENANT}`);
    await picture(desk, `${name}-1-sign-in`);
    await customer.goto(`${server.url}/chat/?tenant=${TENANT}&shop=${SHOP}`);
    await customer.locator('#enter').waitFor();
    await picture(customer, `${name}-2-welcome`);
    await customer.locator('#enter').click();
    await customer.locator('#status', { hasText: '1' }).waitFor();
    await says(customer, '请问这件商品什么时候发货？\nOrder 20260711-1');
    await picture(customer, `${name}-3-waiting`);

    await agentAt(server, desk, 'alice');
    const item = desk.locator('#open .item');
    await item.getByText(words.fresh).waitFor();
    await desk.locator('#open .count').waitFor();
    await picture(desk, `${name}-4-assigned`);
    await item.click();
    await bubble(desk, '什么时候发货').waitFor();
    await customer.locator('#status', { hasText: words.serving }).waitFor();

    await desk.locator('#composer textarea').pressSequentially('您好');
    await customer.locator('#typing').filter({ hasText: '…' }).waitFor();
    await says(desk, '您好，今天下午发货。');
    await bubble(customer, '今天下午发货').waitFor();
    await desk.locator('input[value=staff]').check();
    await says(desk, '老顾客，优先处理');
    await desk.locator('.bubble.note').waitFor();
    await desk.locator('input[value=all]').check();
    await bubble(customer, '今天下午发货').hover();
    await bubble(customer, '今天下午发货').getByRole('button').first().click();
    await says(customer, 'Great, thank you!');
    await bubble(desk, 'Great').locator('blockquote').waitFor();
    await says(customer, 'oops');
    await bubble(desk, 'oops').waitFor();
    await bubble(customer, 'oops').hover();
    await bubble(customer, 'oops').getByRole('button').nth(1).click();
    await bubble(desk, words.recalled).waitFor();
    await picture(desk, `${name}-5-desk`);
    assert.equal(await bubble(customer, '老顾客').count(), 0, 'a customer sees no notes');

    await desk.locator('#invite').click();
    await customer.locator('#rating').waitFor();
    await customer.locator('#rating input[value="5"]').check();
    await picture(customer, `${name}-6-rating`);
    await customer.locator('#rating button[type=submit]').click();
    await customer.locator('#notice', { hasText: words.thanks }).waitFor();
    await desk.locator('#details', { hasText: '5' }).waitFor();

    await desk.locator('#devices').click();
    await desk.locator('dialog .sessions li').first().waitFor();
    await picture(desk, `${name}-7-devices`);
    await desk.locator('dialog button').last().click();
    await ends(desk);
    await customer.locator('#end').waitFor({ state: 'hidden' });
    await desk.locator('#open .item').waitFor({ state: 'detached' });
    await picture(customer, `${name}-8-ended`);
    await serves(desk, 'stopped');
  });
}

test('the connection is lost in the middle, and nothing is', async () => {
  const look = { locale: 'zh-CN', colorScheme: 'light' } as const;
  const [desk, customer] = [await window(look, 420), await window(look, 480)];
  await agentAt(server, desk, 'bob');
  await customerAt(server, customer);
  await says(customer, '第一句');
  await desk.locator('#open .item').waitFor();
  await picture(desk, 'narrow-1-list');
  await desk.locator('#open .item').click();
  await bubble(desk, '第一句').waitFor();
  await picture(desk, 'narrow-2-chat');
  await server.kill();
  await customer.locator('#link[data-state=lost]').waitFor();
  await desk.locator('#link[data-state=lost]').waitFor();
  for (const text of ['第二句', '第三句']) await says(customer, text);
  await customer.locator('.bubble.pending').nth(1).waitFor();
  await picture(customer, 'lost-1-customer');
  await server.restart();
  // What a browser says when its network is back; without it the pause between two tries would have to end.
  for (const page of [desk, customer]) await page.evaluate('window.dispatchEvent(new Event("online"))');
  for (const page of [desk, customer]) await page.locator('#link:not([data-state=lost])').waitFor({ state: 'attached' });
  await bubble(desk, '第三句').waitFor();
  await says(desk, '都收到了');
  await bubble(customer, '都收到了').waitFor();
  const lines = ['第一句', '第二句', '第三句', '都收到了'];
  for (const page of [desk, customer]) {
    const shown = await page.locator('.bubble .text').allTextContents();
    assert.deepEqual(shown, lines);
  }
  // The page is loaded anew: the same customer, the same chat.
  await customer.reload();
  await bubble(customer, '都收到了').waitFor();
  assert.deepEqual(await customer.locator('.bubble .text').allTextContents(), lines);
  await picture(customer, 'lost-2-again');
});

test('what was written while nobody answered is sent when the page is opened again', async () => {
  const customer = await window({ locale: 'en-US', colorScheme: 'light' }, 480);
  await customerAt(server, customer);
  await says(customer, 'first');
  await customer.locator('.bubble:not(.pending)', { hasText: 'first' }).waitFor();
  await server.kill();
  await says(customer, 'second');
  await says(customer, 'third');
  await customer.locator('.bubble.pending').nth(1).waitFor();
  await keeps(customer, 2);
  const context = customer.context();
  await customer.close();
  await server.restart();
  const again = await context.newPage();
  await again.goto(`${server.url}/chat/?tenant=${TENANT}&shop=${SHOP}`);
  await again.locator('.bubble:not(.pending)', { hasText: 'third' }).waitFor();
  assert.deepEqual(await again.locator('.bubble .text').allTextContents(), ['first', 'second', 'third']);
});

test('whose sign-in has ended finds a page that works', async () => {
  const look = { locale: 'en-US', colorScheme: 'light' } as const;
  const [desk, other, customer] = [await window(look), await window(look), await window(look, 480)];
  for (const page of [desk, other]) await agentAt(server, page, 'sue');
  await desk.locator('#devices').click();
  await desk.locator('dialog .sessions li button').click();
  await other.locator('#link[data-state=lost]', { hasText: 'Signed out' }).waitFor();
  await other.reload();
  await other.locator('#sign-in').waitFor();
  await customerAt(server, customer);
  await says(customer, 'before');
  await customer.locator('#new-visitor').click();
  await customer.locator('dialog button.strong').click();
  await customer.locator('#enter').waitFor();
  await customer.evaluate(`localStorage.setItem('kefu.chat.demo.session', localStorage.getItem('kefu.chat.demo.session')
    .replace(/"(accessToken|refreshToken)":"[^"]*"/g, '"$1":"worn out"'))`);
  await customer.reload();
  await customer.locator('#enter').click();
  await says(customer, 'after');
  await customer.locator('.bubble:not(.pending)', { hasText: 'after' }).waitFor();
  assert.deepEqual(await customer.locator('.bubble .text').allTextContents(), ['after']);
});

/** Runs inside Chromium: three devices of one customer, who begin and connect in different ways. */
async function devicesInBrowser(shop: string): Promise<{ states: string[]; vias: string[] }> {
  const library = '/client/index.js';
  const { Client, Http, MemoryStore, Session, realEnvironment } = (await import(library)) as typeof import('../src/client/index.js');
  const real = realEnvironment();
  const polling = { ...real, openSocket: null };
  const session = await Session.anonymous({ environment: real, http: new Http(real, () => ''), store: new MemoryStore() }, 'demo', 'test');
  const device = (begin: 'list' | 'feed', environment: typeof real) =>
    new Client({ session, store: new MemoryStore(), begin, environment });
  const first = device('list', real);
  await first.start();
  const chat = await first.api.enter(shop);
  for (const content of ['one', 'two', 'three']) await first.send(chat, { content });
  const others = [device('feed', real), device('list', polling), device('feed', polling)];
  for (const other of others) await other.start();
  await first.send(chat, { content: 'four' });
  const devices = [first, ...others];
  for (const known of devices) {
    await new Promise<void>((done) => {
      const look = () => known.state.chats[chat]?.described && known.state.chats[chat].messages.at(-1)?.content === 'four' && done();
      known.subscribe(look);
      look();
    });
    await known.open(chat);
  }
  const states = devices.map(({ state }) => {
    const { conversation, messages, lastSeq, readSeq, shop: of, customer } = state.chats[chat] ?? {};
    return JSON.stringify({ conversation, messages, lastSeq, readSeq, of, customer });
  });
  const vias = devices.map(({ status }) => (status.state === 'online' ? status.via : status.state));
  for (const known of devices) await known.stop();
  return { states, vias };
}

test('the client itself in Chromium: sockets and polls, lists first and feed first, end in the same state', async () => {
  const page = await window({ locale: 'en-US', colorScheme: 'light' });
  await page.goto(`${server.url}/`);
  const { states, vias } = await page.evaluate(devicesInBrowser, SHOP);
  assert.deepEqual(vias, ['socket', 'socket', 'poll', 'poll']);
  for (const state of states) assert.equal(state, states[0]);
  assert.match(states[0] ?? '', /"content":"one".*"content":"four"/);
});

test('the entrance leads to both pages, and the language can be switched', async () => {
  const page = await window({ locale: 'fr-FR', colorScheme: 'light' });
  await page.goto(`${server.url}/`);
  await picture(page, 'entrance');
  await page.getByRole('link', { name: 'Customer' }).click();
  await page.locator('#enter', { hasText: 'Contact us' }).waitFor();
  await page.locator('#language button').click();
  await page.locator('#enter', { hasText: '联系客服' }).waitFor();
  assert.equal(await page.locator('html').getAttribute('lang'), 'zh-CN');
  await page.goto(`${server.url}/`);
  await page.getByRole('link', { name: 'desk' }).click();
  await page.locator('#sign-in button', { hasText: '登录' }).waitFor();
});
