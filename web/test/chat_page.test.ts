/** The customer's page in Chromium: reading, coming and going, the keyboard, and what goes wrong. */

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import type { Client } from '../src/client/index.js';
import { Browsing, bubble, customerAt, png, says } from './browsing.js';
import { type RealServer, SHOP, TENANT, until } from './real_server.js';

const ZH = { locale: 'zh-CN', colorScheme: 'light' } as const;
const EN = { locale: 'en-US', colorScheme: 'dark' } as const;

let browsing: Browsing;
let server: RealServer;

before(async () => {
  browsing = await Browsing.start();
  server = browsing.server;
});
after(() => browsing.end());
// Whoever still waits from the test before would have the agent in the next.
afterEach(async () => {
  const admin = await server.agent('admin');
  for (const status of ['waiting', 'serving']) {
    const { data } = await admin.api.in<{ data: { id: string }[] }>('GET', `conversations?status=${status}`);
    for (const { id } of data) await admin.api.in('POST', `conversations/${id}/close`, {});
  }
  await admin.stop();
});

const address = (more = '') => `${server.url}/chat/?tenant=${TENANT}&shop=${SHOP}${more}`;

/** Another device of the customer of a window, without a window. */
async function deviceOf(page: Page): Promise<{ device: Client; chat: string }> {
  const kept = JSON.parse(String(await page.evaluate(`localStorage.getItem('kefu.chat.${TENANT}.session')`))) as Record<string, string>;
  const { Client, Http, MemoryStore, Session, realEnvironment } = await import('../src/client/index.js');
  const environment = realEnvironment();
  const context = { environment, http: new Http(environment, () => server.url), store: new MemoryStore() };
  const signedIn = { user: kept['user'] ?? '', session: kept['session'] ?? '', access_token: kept['accessToken'] ?? '' };
  const session = await Session.of(context, TENANT, { ...signedIn, expires_in: 900, refresh_token: '' });
  const device = new Client({ session, store: context.store, begin: 'list', base: server.url, environment });
  browsing.clients.push(device);
  await device.start();
  return { device, chat: Object.keys(device.state.chats)[0] ?? '' };
}

/** A chat in which an agent and the customer have said a lot. */
async function long(page: Page, messages: number): Promise<{ alice: Client; chat: string }> {
  await customerAt(server, page);
  const { device, chat } = await deviceOf(page);
  const alice = await server.agent('alice');
  browsing.clients.push(alice);
  await alice.api.in('PUT', 'me/service', { status: 'started' });
  await until(alice, 'the chat is served', () => alice.state.chats[chat]?.conversation?.status === 'serving');
  for (let nth = 1; nth <= messages; nth += 1) {
    const from = nth % 2 === 0 ? alice : device;
    await from.send(chat, { content: `line ${nth}\n\nof many` });
    await until(from, 'it is sent', () => from.outgoing(chat).length === 0);
  }
  await bubble(page, `line ${messages}`).waitFor();
  return { alice, chat };
}

async function done(alice: Client, chat: string): Promise<void> {
  await alice.api.end(alice.state.chats[chat]?.conversation?.id ?? '');
  await alice.api.in('PUT', 'me/service', { status: 'stopped' });
  await alice.stop();
}

const top = (page: Page, text: string) => bubble(page, text).evaluate((shown) => shown.getBoundingClientRect().top);
const scrolled = (page: Page, to: number) => page.locator('#messages').evaluate((list, place) => (list.scrollTop = place), to);

test('what is in sight is read, what is new is offered, and what one writes comes into view', async () => {
  const customer = await browsing.window(EN, 480);
  const { alice, chat } = await long(customer, 24);
  const readTo = () => Math.max(0, ...Object.values(alice.state.chats[chat]?.reads ?? {}));
  await until(alice, 'all was seen', () => readTo() >= 24);
  await scrolled(customer, 0);
  const newer = customer.locator('button.newer');
  assert.equal(await newer.isVisible(), false);
  await alice.send(chat, { content: 'are you there?' });
  await bubble(customer, 'are you there?').waitFor({ state: 'attached' });
  await newer.waitFor();
  await customer.waitForFunction(() => document.title === '(1) Customer service · flagship');
  assert.ok(readTo() < 25, 'nobody has seen it');
  await newer.click();
  await until(alice, 'now it was seen', () => readTo() >= 25);
  await newer.waitFor({ state: 'hidden' });
  await customer.waitForFunction(() => document.title === 'Customer service · flagship');
  await scrolled(customer, 0);
  await says(customer, 'I am here');
  await customer.waitForFunction(() => {
    const list = document.querySelector('#messages');
    return list !== null && list.scrollHeight - list.scrollTop - list.clientHeight < 5;
  });
  await done(alice, chat);
});

test('earlier messages leave the line that is read where it is', async () => {
  const customer = await browsing.window(ZH, 480);
  const { alice, chat } = await long(customer, 60);
  await customer.reload();
  const earlier = customer.getByRole('button', { name: '更早的消息' });
  await earlier.waitFor({ state: 'attached' });
  await scrolled(customer, 0);
  const first = await customer.locator('.bubble .text').first().textContent();
  const text = String(first).split('\n')[0] ?? '';
  const before = await top(customer, text);
  await earlier.click();
  await customer.locator('.bubble[data-seq="1"]').waitFor({ state: 'attached' });
  assert.ok(Math.abs((await top(customer, text)) - before) < 3, `${text} stood at ${before}, now at ${await top(customer, text)}`);
  await done(alice, chat);
});

test('a bubble is one element from its writing on, and the log is one stop of the Tab key', async () => {
  const customer = await browsing.window(EN, 480);
  let hold = true;
  await customer.routeWebSocket('**/v1/ws', (link) => {
    const behind = link.connectToServer();
    const waiting: string[] = [];
    behind.onMessage((text) => (hold && String(text).includes('"t":"ack"') ? waiting.push(String(text)) : link.send(text)));
    link.onMessage((text) => behind.send(text));
    setInterval(() => !hold && waiting.splice(0).forEach((text) => link.send(text)), 50).unref();
  });
  await customerAt(server, customer);
  hold = false;
  await customer.evaluate(`(() => {
    window.added = 0;
    new MutationObserver((all) => all.forEach(({ addedNodes }) => (window.added += addedNodes.length)))
      .observe(document.querySelector('#messages'), { childList: true });
  })()`);
  for (const text of ['one', 'two', 'three']) await says(customer, text);
  await customer.locator('.bubble:not(.pending)', { hasText: 'three' }).getByText('sent').waitFor();
  const { device, chat } = await deviceOf(customer);
  const alice = await server.agent('alice');
  browsing.clients.push(alice);
  await alice.api.in('PUT', 'me/service', { status: 'started' });
  await until(alice, 'served', () => (alice.state.chats[chat]?.lastSeq ?? 0) >= 3);
  alice.markRead(chat);
  await bubble(customer, 'three').getByText('read').waitFor();
  const own = await customer.locator('.bubble.own').count();
  const added = Number(await customer.evaluate('window.added'));
  const others = await customer.locator('#messages > li').count();
  assert.deepEqual([own, added <= others], [3, true], `${added} elements for ${others} lines`);
  assert.equal(await customer.locator('.bubble .when').first().getAttribute('aria-live'), 'off');

  const stops = customer.locator('#messages [tabindex="0"], #messages button:not([tabindex="-1"])');
  assert.equal(await stops.count(), 1);
  await stops.first().focus();
  const focused = () => customer.evaluate('document.activeElement.textContent');
  assert.match(String(await focused()), /three/);
  await customer.keyboard.press('ArrowUp');
  assert.match(String(await focused()), /two/);
  await customer.keyboard.press('ArrowRight');
  assert.equal(await focused(), 'Quote');
  await customer.keyboard.press('Escape');
  await customer.keyboard.press('End');
  assert.match(String(await focused()), /three/);
  await customer.keyboard.press('Tab');
  assert.equal(await customer.evaluate(`document.querySelector('#messages').contains(document.activeElement)`), false);
  await device.stop();
  await done(alice, chat);
});

test('a message that was taken back is not read in a quote, and goes for oneself only when one is sure', async () => {
  const customer = await browsing.window(EN, 480);
  await customerAt(server, customer);
  await says(customer, 'my secret');
  await bubble(customer, 'my secret').getByText('sent').waitFor();
  await bubble(customer, 'my secret').hover();
  await bubble(customer, 'my secret').getByRole('button', { name: 'Quote' }).click();
  await says(customer, 'as I said');
  const quoting = bubble(customer, 'as I said');
  await quoting.locator('blockquote', { hasText: 'my secret' }).waitFor();
  const secret = customer.locator('.bubble:not(:has(blockquote))', { hasText: 'my secret' });
  await secret.hover();
  await secret.getByRole('button', { name: 'Recall' }).click();
  await quoting.locator('blockquote', { hasText: 'Message recalled' }).waitFor();
  await quoting.hover();
  await quoting.getByRole('button', { name: 'Delete for me' }).click();
  await customer.locator('dialog button[value=no]').click();
  assert.equal(await quoting.count(), 1);
  await quoting.getByRole('button', { name: 'Delete for me' }).click();
  await customer.locator('dialog button[value=yes]').click();
  await quoting.waitFor({ state: 'detached' });
});

test('what can be recalled no longer is not offered', async () => {
  const customer = await browsing.window(EN, 480);
  await customer.route('**/v1/init', async (route) => {
    const answer = await route.fetch();
    const init = (await answer.json()) as { limits: object };
    await route.fulfill({ response: answer, json: { ...init, limits: { ...init.limits, recall_window_ms: 2_000 } } });
  });
  await customerAt(server, customer);
  await says(customer, 'soon too late');
  const recall = bubble(customer, 'soon too late').getByRole('button', { name: 'Recall' });
  await recall.waitFor({ state: 'attached' });
  await recall.waitFor({ state: 'detached' });
});

test('a page that nobody answers says so, and recovers by itself', async () => {
  const customer = await browsing.window(EN, 480);
  await customer.route('**/v1/**', (route) => route.abort());
  await customer.goto(address());
  await customer.locator('#link', { hasText: 'Connecting…' }).waitFor();
  await customer.waitForTimeout(1_500);
  await customer.unroute('**/v1/**');
  await customer.locator('#enter').waitFor();
  await customer.locator('#link').waitFor({ state: 'hidden' });
});

test('a network that is gone is told at once', async () => {
  const customer = await browsing.window(EN, 480);
  await customerAt(server, customer);
  await customer.locator('#link').waitFor({ state: 'hidden' });
  await customer.evaluate(`window.dispatchEvent(new Event('offline'))`);
  await customer.locator('#link[data-state=lost]', { hasText: 'Connection lost' }).waitFor({ timeout: 2_000 });
  await customer.locator('#link[data-state=again]').waitFor();
});

test('a subject or a shop that nobody knows is told in words, or not at all', async () => {
  const customer = await browsing.window(ZH, 480);
  await customer.goto(address('&entry=order&subject=%E8%AE%A2%E5%8D%95%20%21'));
  await customer.locator('#enter').click();
  await customer.locator('#composer textarea').waitFor();
  const lost = await browsing.window(EN, 480);
  await lost.goto(`${server.url}/chat/?tenant=${TENANT}&shop=nowhere`);
  await lost.locator('#enter').click();
  await lost.locator('#notice', { hasText: 'This is not there' }).waitFor();
  await customer.locator('#composer input[type=file]').setInputFiles({ name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) });
  await customer.locator('#notice', { hasText: '文件为空或无法使用' }).waitFor();
});

test('a customer who begins anew in one window does so in the other', async () => {
  const first = await browsing.window(EN, 480);
  await customerAt(server, first);
  await says(first, 'before');
  const second = await first.context().newPage();
  await second.goto(address());
  await bubble(second, 'before').waitFor();
  const user = () => second.evaluate(`JSON.parse(localStorage.getItem('kefu.chat.${TENANT}.session')).user`);
  const before = await user();
  await first.bringToFront();
  await first.locator('#new-visitor').click();
  await first.locator('dialog button.strong').click();
  await first.locator('#enter').waitFor();
  await second.bringToFront();
  await second.locator('#enter').waitFor();
  assert.notEqual(await user(), before);
  await second.locator('#enter').click();
  await says(second, 'after');
  await second.locator('.bubble:not(.pending)', { hasText: 'after' }).waitFor();
});

test('a customer who is signed out elsewhere writes nothing, and can start again', async () => {
  const customer = await browsing.window(EN, 480);
  await customerAt(server, customer);
  await says(customer, 'before');
  await bubble(customer, 'before').getByText('sent').waitFor();
  const { device } = await deviceOf(customer);
  await device.session.signOut();
  await customer.locator('#over').waitFor();
  assert.equal(await customer.locator('#composer').isVisible(), false);
  await customer.locator('#start-again').click();
  await customer.locator('#enter').waitFor();
});

test('a draft and a rating that was put off outlive a reload', async () => {
  const customer = await browsing.window(EN, 480);
  const { alice, chat } = await long(customer, 2);
  await customer.locator('#composer textarea').fill('half of i');
  await customer.reload();
  await customer.waitForFunction(() => document.querySelector<HTMLTextAreaElement>('#composer textarea')?.value === 'half of i');
  await says(customer, 'all of it');
  await bubble(customer, 'all of it').getByText('sent').waitFor();
  await done(alice, chat);
  await customer.locator('#rating').waitFor();
  await customer.getByRole('button', { name: 'Not now' }).click();
  await customer.reload();
  await customer.locator('#rate').waitFor();
  assert.equal(await customer.locator('#rating').isVisible(), false);
  assert.equal(await customer.locator('#composer textarea').inputValue(), '');
  await customer.locator('#rate').click();
  await customer.locator('#rating').waitFor();
});

test('a file that is dropped anywhere is taken, and never opened by the browser', async () => {
  const customer = await browsing.window(EN, 480);
  const drop = () =>
    customer.evaluate(
      ({ content }) => {
        const files = new DataTransfer();
        files.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], 'on the bar.png', { type: 'image/png' }));
        const told = new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true });
        return document.querySelector('header.bar')?.dispatchEvent(told) === false;
      },
      { content: png(20, 20).toString('base64') },
    );
  await customer.goto(address());
  await customer.locator('#enter').waitFor();
  assert.ok(await drop(), 'also where nothing is taken');
  await customer.locator('#enter').click();
  await customer.locator('#composer textarea').waitFor();
  assert.ok(await drop());
  await customer.locator('.bubble img[alt="on the bar.png"]').waitFor();
  assert.equal(await customer.locator('.bubble img').count(), 1);
});

test('small print is told from its ground in the dark, long names wrap, and forced colours show what is pressed', async () => {
  const customer = await browsing.window(EN, 480);
  await customerAt(server, customer);
  await says(customer, 'hello');
  await bubble(customer, 'hello').getByText('sent').waitFor();
  const contrast = await bubble(customer, 'hello').locator('.who').evaluate((shown) => {
    const light = (colour: string) => {
      const [r, g, b] = (colour.match(/\d+/g) ?? []).map((part) => {
        const value = Number(part) / 255;
        return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
    };
    const ground = light(getComputedStyle(shown.closest('.bubble') ?? shown).backgroundColor);
    return (light(getComputedStyle(shown).color) + 0.05) / (ground + 0.05);
  });
  assert.ok(contrast >= 4.5, `${contrast}`);
  const width = await bubble(customer, 'hello').locator('.who').evaluate((shown) => {
    shown.textContent = 'VeryLongNameWithoutAnySpace'.repeat(10);
    return shown.scrollWidth - shown.clientWidth;
  });
  assert.equal(width, 0);
  await customer.emulateMedia({ forcedColors: 'active' });
  const grounds = await customer.evaluate(`['true', 'false'].map((pressed) => {
    const button = document.createElement('button');
    button.setAttribute('aria-pressed', pressed);
    document.body.append(button);
    return getComputedStyle(button).backgroundColor;
  })`);
  const [pressed, other] = grounds as string[];
  assert.notEqual(pressed, other);
});
