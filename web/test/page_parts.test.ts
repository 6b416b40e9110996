/** Parts of the pages in Chromium: files, boards, group threads, growing answers, and the store that a browser has. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFile } from 'node:fs/promises';

import type { Page } from 'playwright-core';

import { Browsing, WITHOUT_DATABASE, agentAt, bubble, customerAt, ends, png, says, serves, signedInAt } from './browsing.js';
import { type RealServer, SHOP, until } from './real_server.js';

const ZH = { locale: 'zh-CN', colorScheme: 'light' } as const;
const EN = { locale: 'en-US', colorScheme: 'dark' } as const;

let browsing: Browsing;
let server: RealServer;

before(async () => {
  browsing = await Browsing.start();
  server = browsing.server;
});
after(() => browsing.end());

/** Whether a picture is really shown, and how large. */
async function shownSize(page: Page, name: string): Promise<{ natural: number; width: number; height: number }> {
  const image = page.locator(`.bubble img[alt="${name}"]`);
  await image.waitFor();
  await page.waitForFunction((alt) => (document.querySelector(`.bubble img[alt="${alt}"]`) as HTMLImageElement).naturalWidth > 0, name);
  return image.evaluate((shown) => {
    const { width, height } = shown.getBoundingClientRect();
    return { natural: (shown as HTMLImageElement).naturalWidth, width, height };
  });
}

/** Gives a file to whatever listens for this event; answers whether somebody took it. */
async function give(page: Page, event: 'paste' | 'drop', name: string, bytes: Buffer): Promise<boolean> {
  return page.evaluate(
    ({ event, name, content }) => {
      const files = new DataTransfer();
      files.items.add(new File([Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0))], name, { type: 'image/png' }));
      const [bubbles, cancelable] = [true, true];
      const told =
        event === 'paste'
          ? new ClipboardEvent('paste', { clipboardData: files, bubbles, cancelable })
          : new DragEvent('drop', { dataTransfer: files, bubbles, cancelable });
      return document.querySelector(event === 'paste' ? '#composer textarea' : '#messages')?.dispatchEvent(told) === false;
    },
    { event, name, content: bytes.toString('base64') },
  );
}

test('pictures are shown on both pages, other files are offered, and nothing is run', async () => {
  const [desk, customer] = [await browsing.window(ZH), await browsing.window(ZH, 480)];
  await agentAt(server, desk, 'alice');
  await customerAt(server, customer);
  await says(customer, '请看这张图');
  await desk.locator('#open .item').click();
  await customer.locator('#composer input[type=file]').setInputFiles({ name: '瑕疵.png', mimeType: 'image/png', buffer: png(900, 700) });
  for (const page of [customer, desk]) {
    const { natural, width, height } = await shownSize(page, '瑕疵.png');
    assert.equal(natural, 900);
    assert.ok(width > 40 && width <= 300 && height <= 240, `${width} x ${height}`);
  }
  await browsing.picture(customer, 'files-1-customer');
  await desk.getByRole('button', { name: '查看大图：瑕疵.png' }).click();
  await desk.locator('dialog.large img').waitFor();
  await browsing.picture(desk, 'files-2-large');
  await desk.locator('dialog.large button.strong').click();

  await give(customer, 'paste', 'pasted.png', png(60, 40));
  await shownSize(desk, 'pasted.png');
  assert.ok(await give(desk, 'drop', 'dropped.png', png(40, 60)));
  await shownSize(customer, 'dropped.png');
  const order = Buffer.from('%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n'.repeat(100), 'latin1');
  await desk.locator('#composer input[type=file]').setInputFiles({ name: '订单 1.pdf', mimeType: 'application/pdf', buffer: order });
  const [download] = await Promise.all([
    customer.waitForEvent('download'),
    customer.getByRole('button', { name: '下载 订单 1.pdf' }).click(),
  ]);
  assert.equal(download.suggestedFilename(), '订单 1.pdf');
  assert.deepEqual(await readFile(await download.path()), order);
  await browsing.picture(desk, 'files-3-desk');
  await ends(customer);
  await serves(desk, 'stopped');
});

test('a picture that cannot be read now is shown later, and one that is gone is offered as a file', async () => {
  const customer = await browsing.window(EN, 480);
  await customer.clock.install();
  let state: 'busy' | 'there' | 'gone' = 'busy';
  let asked = 0;
  await customer.route('**/attachments/*', (route) => {
    asked += 1;
    if (state === 'there') return route.continue();
    return route.fulfill({ status: state === 'busy' ? 503 : 404, json: { code: 'of_the_test', detail: '' } });
  });
  await customerAt(server, customer);
  const file = (name: string) => ({ name, mimeType: 'image/png', buffer: png(60, 40) });
  await customer.locator('#composer input[type=file]').setInputFiles(file('later.png'));
  const passUntil = async (isSo: () => boolean | Promise<boolean>) => {
    for (let times = 0; times < 200; times += 1) {
      if (await isSo()) return;
      await customer.clock.runFor(500);
    }
    assert.fail('not within 100 s of the page');
  };
  // More often than one request is repeated.
  await passUntil(() => asked >= 6);
  assert.equal(await customer.locator('.bubble button.file').count(), 0);
  state = 'there';
  const isShown = () => customer.locator('.bubble img').evaluate((image) => (image as HTMLImageElement).naturalWidth > 0);
  await passUntil(isShown);
  state = 'gone';
  await customer.locator('#composer input[type=file]').setInputFiles(file('gone.png'));
  await customer.locator('.bubble button.file', { hasText: 'gone.png' }).waitFor();
  await ends(customer);
});

test('a browser that keeps nothing says so once, on both pages and in both languages', async () => {
  const full = () => {
    IDBObjectStore.prototype.put = () => {
      throw new DOMException('no room', 'QuotaExceededError');
    };
  };
  const [desk, customer] = [await browsing.window(EN), await browsing.window(ZH, 480)];
  for (const page of [desk, customer]) await page.addInitScript(full);
  await agentAt(server, desk, 'alice');
  await customerAt(server, customer);
  await says(customer, '第一句');
  await customer.locator('#notice[data-kind=bad]', { hasText: '无法保存未发送的消息' }).waitFor();
  await desk.locator('#open .item').click();
  await says(desk, 'the second');
  await desk.locator('#notice[data-kind=bad]', { hasText: 'cannot keep unsent messages' }).waitFor();
  await customer.evaluate('document.querySelector("#notice").hidden = true');
  await says(customer, '第三句');
  await bubble(desk, '第三句').waitFor();
  assert.equal(await customer.locator('#notice').isVisible(), false);
  await ends(customer);
  await serves(desk, 'stopped');
});

test('a page that calls itself a picture is a download, whoever says otherwise', async () => {
  const desk = await browsing.window(EN);
  await agentAt(server, desk, 'bob');
  const ann = await server.customer();
  browsing.clients.push(ann);
  const chat = await ann.api.enter(SHOP);
  await desk.locator('#open .item').click();
  const page = new Blob(['<!doctype html><script>document.title = "taken over"</script><h1>hello'], { type: 'image/png' });
  const { kind, url } = await ann.api.upload(chat, page, 'picture.png');
  assert.equal(kind, 'file', 'the server looks at the content');
  await ann.send(chat, { content: 'picture.png', kind: 'picture', url });
  await ann.send(chat, { content: '<img src=x onerror="document.title=1">', kind: 'picture', url: 'javascript:alert(1)' });
  await ann.send(chat, { content: 'elsewhere', kind: 'picture', url: 'https://example.com/v1/tenants/demo/attachments/00' });
  await desk.locator('.bubble').nth(2).waitFor();
  await desk.locator('.bubble button.file', { hasText: 'picture.png' }).waitFor();
  assert.equal(await desk.locator('.bubble img').count(), 0);
  const links = await desk.locator('.bubble a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  assert.deepEqual(links, ['https://example.com/v1/tenants/demo/attachments/00']);
  const [download] = await Promise.all([desk.waitForEvent('download'), desk.locator('.bubble button.file').click()]);
  assert.equal(download.suggestedFilename(), 'picture.png');
  assert.notEqual(await desk.title(), 'taken over');
  await ann.api.end(ann.state.chats[chat]?.conversation?.id ?? '');
  await serves(desk, 'stopped');
});

test('a board tells without a reload how many wait and for how long', async () => {
  const desk = await browsing.window(ZH);
  await signedInAt(server, desk, 'alice');
  const main = desk.locator('#board li[data-group=main]');
  await main.getByText('无人排队').waitFor();
  const waiting = await server.customer();
  browsing.clients.push(waiting);
  const chat = await waiting.api.enter(SHOP);
  await main.getByText('排队 1').waitFor();
  const age = async () => (await main.locator('.waiting').textContent())?.split('最久 ')[1];
  const before = await age();
  await desk.waitForFunction((was) => !document.querySelector('#board')?.textContent?.includes(`最久 ${was}`), before);
  await browsing.picture(desk, 'board-1-waiting');
  await serves(desk, 'started');
  await main.getByText('无人排队').waitFor();
  await main.getByText('接待中 1').waitFor();
  await browsing.picture(desk, 'board-2-serving');
  await waiting.api.end(waiting.state.chats[chat]?.conversation?.id ?? '');
  await main.getByText('接待中 0').waitFor();
  await serves(desk, 'stopped');
});

test('an agent takes part in a group thread from the desk', async () => {
  const [sue, bob] = [await server.agent('sue'), await server.agent('bob')];
  browsing.clients.push(sue, bob);
  const members = [{ user: bob.session.user, label: 'merchant', permissions: ['post'] }];
  const desk = await browsing.window(EN);
  await signedInAt(server, desk, 'bob');
  const made = await sue.api.in<{ id: string }>('POST', 'threads', { title: 'Summer campaign 夏季活动', label: 'provider', members });
  const item = desk.locator('#threads .item', { hasText: 'Summer campaign' });
  await item.locator('.tag', { hasText: 'Thread' }).waitFor();
  await until(sue, 'the owner has it', () => sue.state.chats[made.id]?.joined === true);
  await sue.send(made.id, { content: 'Shall we begin on Monday?' });
  await item.locator('.count', { hasText: '1' }).waitFor();
  await item.click();
  await bubble(desk, 'Shall we begin').locator('.who', { hasText: /sue/i }).waitFor();
  await desk.locator('#details', { hasText: '2 members' }).waitFor();
  assert.equal(await desk.locator('#visibility').isVisible(), false, 'there are no notes in a thread');
  assert.equal(await desk.locator('#end').isVisible(), false);
  await says(desk, 'Yes, on Monday.');
  await until(sue, 'the answer has come', () => sue.state.chats[made.id]?.messages.at(-1)?.content === 'Yes, on Monday.');
  await desk.locator('#composer input[type=file]').setInputFiles({ name: 'poster.png', mimeType: 'image/png', buffer: png(320, 200) });
  await shownSize(desk, 'poster.png');
  await browsing.picture(desk, 'thread-1-desk');
  await sue.api.in('PUT', `threads/${made.id}/title`, { title: 'Autumn campaign' });
  await desk.locator('#threads .item', { hasText: 'Autumn campaign' }).waitFor();
  await sue.api.in('PATCH', `threads/${made.id}/members/${bob.session.user}`, { permissions: [] });
  await desk.locator('#details', { hasText: 'You may not write here' }).waitFor();
  assert.equal(await desk.locator('#composer').isVisible(), false);
  await give(desk, 'drop', 'late.png', png(40, 60));
  assert.equal(await desk.locator('.uploads li').count(), 0, 'nor are files taken');
  await sue.api.in('DELETE', `threads/${made.id}/members/${bob.session.user}`);
  await desk.locator('#threads .item').waitFor({ state: 'detached' });
});

test('a customer sees the answer of a robot grow, and then the message in its place', async () => {
  const customer = await browsing.window(ZH, 480);
  let say: (frame: object) => void = () => assert.fail('there is no link');
  const last = { seen: 0, allowed: Number.POSITIVE_INFINITY };
  // No robot has a seat yet; what the server would say is put among what it says.
  await customer.routeWebSocket('**/v1/ws', (link) => {
    const behind = link.connectToServer();
    behind.onMessage((text) => {
      const { t, i } = JSON.parse(String(text)) as { t: string; i?: number };
      // The place behind the last is taken by what is put among them.
      if (t === 'item' && i !== undefined && i > last.allowed) return;
      if (t === 'item' && i !== undefined) last.seen = Math.max(last.seen, i);
      link.send(text);
    });
    say = (frame) => link.send(JSON.stringify(frame));
  });
  await customerAt(server, customer);
  await says(customer, '我的包裹到哪里了？');
  const told = customer.locator('.bubble:not(.pending)', { hasText: '我的包裹' });
  await told.waitFor();
  const chat = await customer.evaluate(`(async () => {
    const { accessToken } = JSON.parse(localStorage.getItem('kefu.chat.demo.session'));
    const headers = { authorization: 'Bearer ' + accessToken, 'content-type': 'application/json' };
    const init = await (await fetch('/v1/init', { method: 'POST', headers, body: '{}' })).json();
    const { chat } = init.chats[0];
    const { data } = await (await fetch('/v1/tenants/demo/chats/' + chat + '/messages?from_seq=1', { headers })).json();
    return { chat, head: init.head, id: data[0].client_msg_id };
  })()`) as { chat: string; head: number; id: string };
  // The robot mints its ids, and one of them may be the customer's.
  const { id } = chat;
  const user = '0190a3c0b80070008000000000000099';
  for (const content of ['您的', '您的包裹 <b>已到达</b>']) say({ t: 'chunk', chat: chat.chat, user, id, content });
  const growing = customer.locator('.bubble.growing');
  await growing.getByText('您的包裹 <b>已到达</b>').waitFor();
  assert.equal(await growing.locator('b').count(), 0);
  await browsing.picture(customer, 'growing-1');
  last.allowed = Math.max(chat.head, last.seen);
  const i = last.allowed + 1;
  const m = {
    id: '0190a3c0b80070008000000000000002', client_msg_id: id, chat: chat.chat, conversation: null, seq: 2, category: 'robot',
    style: 'normal', kind: 'text', content: '您的包裹已到达杭州。', from: user, visibility: 'all', created_at: Date.now(),
    is_recalled: false, is_deleted: false, is_read: false,
  };
  say({ t: 'item', i, p: i - 1, pos: 's0c1e0', k: 'message', at: Date.now(), chat: chat.chat, m });
  await bubble(customer, '已到达杭州').waitFor();
  await growing.waitFor({ state: 'detached' });
  await told.waitFor();
  await browsing.picture(customer, 'growing-2');
});

/** Runs inside Chromium: what every store has to do, over its IndexedDB. */
async function storeInBrowser(): Promise<unknown> {
  const library = '/client/index.js';
  const { BrowserStore, IndexedStore, openBrowserStore } = (await import(library)) as typeof import('../src/client/index.js');
  const older = new BrowserStore(localStorage, 'contract.');
  await older.set('outbox/1', 'left by an older page');
  await older.set('session', 'stays');
  const store = await openBrowserStore('contract', older);
  const begun = [store instanceof IndexedStore, await older.keys(''), await store.keys('')];
  const missing = [await store.get('outbox/9'), await store.delete('outbox/9')];
  await store.set('outbox/2', 'two');
  await store.set('outbox/1', '一');
  await store.set('outboy', 'beside it');
  await store.set('outbox/2', 'two again');
  // As a window that is opened later, and one whose database the browser has closed.
  const after = await IndexedStore.open(indexedDB, 'contract');
  await after.delete('outboy');
  const seen = [await after.keys('outbox/'), await after.keys(''), await store.get('outbox/1'), await after.get('outbox/2')];
  await new Promise((done) => (indexedDB.deleteDatabase('contract').onsuccess = done));
  await store.set('outbox/3', 'begun anew');
  return [begun, missing, seen, await store.keys('')];
}

test('the store of a browser does what every store does', async () => {
  const page = await browsing.window(EN);
  await page.goto(`${server.url}/`);
  const [begun, missing, seen, last] = (await page.evaluate(storeInBrowser)) as unknown[][];
  assert.deepEqual(begun, [true, ['session'], ['outbox/1']]);
  assert.deepEqual(missing, [null, undefined]);
  assert.deepEqual(seen, [['outbox/1', 'outbox/2'], ['outbox/1', 'outbox/2'], '一', 'two again']);
  assert.deepEqual(last, ['outbox/3']);
});

test('a customer without an IndexedDB writes all the same, and what waits is kept', async () => {
  const customer = await browsing.window(EN, 480);
  await customer.addInitScript(WITHOUT_DATABASE);
  await customerAt(server, customer);
  await server.kill();
  await says(customer, 'kept elsewhere');
  await customer.locator('.bubble.pending').waitFor();
  const kept = await customer.evaluate('Object.keys(localStorage).filter((key) => key.includes("outbox/")).length');
  assert.equal(kept, 1);
  await server.restart();
  await customer.reload();
  await customer.locator('.bubble:not(.pending)', { hasText: 'kept elsewhere' }).waitFor();
});
