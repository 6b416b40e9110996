/** The desk in Chromium: whose words are whose, what waits when an agent signs out, and what is read anew. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { type Chat, type Client, type Item } from '../src/client/index.js';
import { Browsing, WITHOUT_DATABASE, agentAt, bubble, says, serves, signedInAt } from './browsing.js';
import { type RealServer, SHOP, TENANT, until } from './real_server.js';
import { texts } from './world.js';

/** Where an agent reads their own account. */
const ME = '**/v1/tenants/*/me';
const EN = { locale: 'en-US', colorScheme: 'light' } as const;

let browsing: Browsing;
let server: RealServer;

before(async () => {
  browsing = await Browsing.start();
  server = browsing.server;
});
after(() => browsing.end());

/** A customer who waits for somebody. */
async function waiting(): Promise<{ ann: Client; chat: string; end: () => Promise<void> }> {
  const ann = await server.customer();
  browsing.clients.push(ann);
  const chat = await ann.api.enter(SHOP);
  await ann.send(chat, { content: 'hello' });
  return { ann, chat, end: () => ann.api.end(ann.state.chats[chat]?.conversation?.id ?? '') };
}

test('whoever writes under the id of somebody else adds one bubble, once', async () => {
  const desk = await browsing.window(EN);
  await agentAt(server, desk, 'alice');
  const { ann, chat, end } = await waiting();
  await desk.locator('#open .item').click();
  await says(desk, 'by the agent');
  await until(ann, 'the answer has come', () => texts(ann, chat).length === 2);
  await ann.send(chat, { content: 'by the customer' }, ann.state.chats[chat]?.messages[1]?.clientId ?? '');
  await bubble(desk, 'by the customer').waitFor();
  for (let times = 0; times < 3; times += 1) await desk.evaluate('window.dispatchEvent(new Event("focus"))');
  assert.deepEqual(await desk.locator('.bubble .text').allTextContents(), ['hello', 'by the agent', 'by the customer']);
  await end();
  await serves(desk, 'stopped');
});

/** Runs inside Chromium: a list whose entries share a key, shown twice, and then without the first. */
async function listInBrowser(): Promise<unknown> {
  const library = '/page/dom.js';
  const { h, keep } = (await import(library)) as typeof import('../src/page/dom.js');
  const list = h('ol');
  const entry = (key: string, text: string) => ({ key, signature: text, make: () => h('li', {}, text) });
  const entries = [entry('a', 'one'), entry('b', 'two'), entry('a', 'three')];
  keep(list, entries);
  const first = [...list.children];
  keep(list, entries);
  const stayed = [...list.children].map((child, nth) => child === first[nth]);
  keep(list, entries.slice(1));
  return { stayed, left: [...list.children].map((child) => child.textContent) };
}

test('a list keeps entries apart that share a key', async () => {
  const page = await browsing.window(EN);
  await page.goto(`${server.url}/`);
  assert.deepEqual(await page.evaluate(listInBrowser), { stayed: [true, true, true], left: ['two', 'three'] });
});

for (const place of ['a database', 'the storage of the window']) {
  test(`what an agent has not sent waits for them and for nobody else, in ${place}`, async () => {
    const desk = await browsing.window(EN);
    if (place !== 'a database') await desk.addInitScript(WITHOUT_DATABASE);
    let holding = false;
    const sent: unknown[] = [];
    await desk.routeWebSocket('**/v1/ws', (link) => {
      const behind = link.connectToServer();
      link.onMessage((text) => {
        const isMessage = (JSON.parse(String(text)) as { t: string }).t === 'send';
        if (isMessage) sent.push(text);
        if (!(isMessage && holding)) behind.send(text);
      });
    });
    await agentAt(server, desk, 'bob');
    const { ann, chat, end } = await waiting();
    await desk.locator('#open .item').click();
    holding = true;
    await says(desk, 'not sent yet');
    await bubble(desk, 'not sent yet').and(desk.locator('.pending')).waitFor();
    await desk.locator('#sign-out').click();
    await desk.locator('#sign-in').waitFor();
    holding = false;
    sent.length = 0;
    await signedInAt(server, desk, 'sue');
    assert.deepEqual(sent, [], 'it is not hers');
    await desk.locator('#sign-out').click();
    await desk.locator('#sign-in').waitFor();
    await signedInAt(server, desk, 'bob');
    await until(ann, 'it has come', () => texts(ann, chat).includes('not sent yet'));
    await end();
    await serves(desk, 'stopped');
  });
}

test('an agent is signed out whatever the outbox says, and is told when the sign-in cannot be forgotten', async () => {
  const desk = await browsing.window(EN);
  await signedInAt(server, desk, 'sue');
  await desk.evaluate(() => {
    const broken = () => {
      throw new Error('no store');
    };
    IDBObjectStore.prototype.getAllKeys = broken;
    const { removeItem } = Storage.prototype;
    Storage.prototype.removeItem = broken;
    document.addEventListener('mended', () => (Storage.prototype.removeItem = removeItem));
  });
  await desk.locator('#sign-out').click();
  await desk.locator('#notice[data-kind=bad]', { hasText: 'no store' }).waitFor();
  await desk.evaluate('document.dispatchEvent(new Event("mended"))');
  await desk.locator('#sign-out').click();
  await desk.locator('#sign-in').waitFor();
});

test('a desk asks until it knows its service, and later again which groups it serves', async () => {
  const desk = await browsing.window(EN);
  await desk.clock.install();
  let told: 'nothing' | 'all' | 'late' | 'no groups' = 'nothing';
  let wasAsked: () => void = () => assert.fail('nobody waits');
  let goOn = wasAsked;
  const asked = new Promise<void>((resolve) => (wasAsked = resolve));
  const held = new Promise<void>((resolve) => (goOn = resolve));
  await desk.route(ME, async (route) => {
    if (told === 'nothing') return route.fulfill({ status: 404, json: { code: 'of_the_test', detail: '' } });
    const response = await route.fetch();
    const account = (await response.json()) as object;
    if (told === 'late') {
      told = 'all';
      wasAsked();
      await held;
    }
    return route.fulfill({ response, json: { ...account, ...(told === 'no groups' ? { groups: [] } : {}) } });
  });
  await desk.goto(`${server.url}/desk/?tenant=${TENANT}`);
  await desk.locator('input[name=login]').fill('alice');
  await desk.locator('input[name=password]').fill('kefu-demo-2026');
  await desk.locator('#sign-in button[type=submit]').click();
  await desk.locator('#notice[data-kind=bad]', { hasText: 'of_the_test' }).waitFor();
  assert.equal(await desk.locator('#service button:enabled').count(), 0);
  told = 'all';
  await desk.clock.fastForward(5_000);
  await desk.locator('#service button[value=started]:enabled').waitFor();
  await desk.locator('#board li[data-group=main]', { hasText: 'nobody waits' }).waitFor();
  told = 'late';
  await desk.clock.fastForward(60_000);
  await asked;
  await serves(desk, 'started');
  const again = desk.waitForRequest(ME);
  goOn();
  await again;
  assert.equal(await desk.locator('#service button[value=started]').getAttribute('aria-pressed'), 'true', 'the late answer is older');
  await serves(desk, 'stopped');
  told = 'no groups';
  await desk.clock.fastForward(60_000);
  await desk.locator('#board').waitFor({ state: 'hidden' });
});

/** Runs inside Chromium: threads that are told to be otherwise while they are read. */
async function threadsInBrowser(): Promise<unknown> {
  const library = '/desk/threads.js';
  const { Threads } = (await import(library)) as typeof import('../src/desk/threads.js');
  const asked: { answer: (what: unknown) => void; fail: () => void }[] = [];
  const ask = () => new Promise((answer, fail) => asked.push({ answer, fail: () => fail(new Error('of the test')) }));
  const chat = { id: 'thread', joined: true, described: true, shop: null, customer: null } as Chat;
  let now = 0;
  const client = { state: { chats: { thread: chat } }, serverNow: () => now, api: { in: ask, thread: ask } } as unknown as Client;
  const threads = new Threads(client, () => undefined);
  const otherwise = () => threads.happened({ t: 'item', k: 'thread', chat: 'thread' } as Item);
  const settled = () => new Promise((done) => setTimeout(done));
  const seen: unknown[] = [];

  threads.all();
  otherwise();
  asked[0]?.answer({ data: [{ id: 'thread', title: 'before' }] });
  await settled();
  threads.all();
  asked[1]?.answer({ data: [{ id: 'thread', title: 'after' }] });
  await settled();
  threads.all();
  seen.push(threads.titleOf(chat), asked.length);

  asked.length = 0;
  threads.open(chat);
  otherwise();
  asked[1]?.answer({ title: 'newer', members: [] });
  await settled();
  asked[0]?.answer({ title: 'older', members: [] });
  await settled();
  seen.push(threads.titleOf(chat));
  otherwise();
  asked[2]?.fail();
  await settled();
  threads.open(chat);
  seen.push(asked.length);
  now += 15_001;
  threads.open(chat);
  seen.push(asked.length);
  return seen;
}

test('of what is told of a thread the newest stands, in whatever order answers come', async () => {
  const page = await browsing.window(EN);
  await page.goto(`${server.url}/`);
  assert.deepEqual(await page.evaluate(threadsInBrowser), ['after', 2, 'newer', 3, 4]);
});
