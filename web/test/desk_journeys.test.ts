/** A day at the desk in Chromium, over a real kefu: signing in and out, conversations that go to and fro, and what must not get lost. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import type { Client } from '../src/client/index.js';
import { Browsing, agentAt, bubble, says, serves, signedInAt } from './browsing.js';
import { type RealServer, SHOP, TENANT, until } from './real_server.js';
import { texts } from './world.js';

const EN = { locale: 'en-US', colorScheme: 'light' } as const;
const ZH = { locale: 'zh-CN', colorScheme: 'light' } as const;

let browsing: Browsing;
let server: RealServer;

before(async () => {
  browsing = await Browsing.start();
  server = browsing.server;
});
after(() => browsing.end());

interface Customer {
  client: Client;
  chat: string;
  conversation(): string;
  end(): Promise<void>;
}

/** A customer who says this, and waits for somebody. */
async function customer(says: string): Promise<Customer> {
  const client = await server.customer();
  browsing.clients.push(client);
  const chat = await client.api.enter(SHOP);
  await client.send(chat, { content: says });
  const conversation = () => client.state.chats[chat]?.conversation?.id ?? '';
  return { client, chat, conversation, end: () => client.api.end(conversation()) };
}

/** Holds back what this desk sends, for as long as wanted. */
async function holding(desk: Page): Promise<{ hold(): void; release(): void }> {
  let [isHeld, held] = [false, [] as (() => void)[]];
  await desk.routeWebSocket('**/v1/ws', (link) => {
    const behind = link.connectToServer();
    link.onMessage((text) => {
      const isMessage = (JSON.parse(String(text)) as { t: string }).t === 'send';
      if (isMessage && isHeld) held.push(() => behind.send(text));
      else behind.send(text);
    });
  });
  const release = () => {
    isHeld = false;
    for (const send of held.splice(0)) send();
  };
  return { hold: () => (isHeld = true), release };
}

const box = (desk: Page) => desk.locator('#composer textarea');

test('signing in twice at once is signing in once', async () => {
  const desk = await browsing.window(EN);
  let asked = 0;
  await desk.route('**/sign-in', (route) => {
    asked += 1;
    return new Promise((done) => setTimeout(done, 300)).then(() => route.continue());
  });
  await desk.goto(`${server.url}/desk/?tenant=${TENANT}`);
  await desk.locator('input[name=login]').fill('alice');
  await desk.locator('input[name=password]').fill('wrong');
  await desk.locator('input[name=password]').press('Enter');
  await desk.locator('#notice', { hasText: 'wrong' }).waitFor();
  await desk.locator('input[name=password]').fill('kefu-demo-2026');
  asked = 0;
  await desk.evaluate(`for (const _ of [1, 2]) document.querySelector('#sign-in').requestSubmit()`);
  assert.equal(await desk.locator('#sign-in button[type=submit]').isDisabled(), true);
  await desk.locator('#service button[value=started]:enabled').waitFor();
  assert.equal(asked, 1);
  assert.equal(await desk.locator('textarea').count(), 1);
});

test('a note that was begun stays a note when another chat is looked at in between', async () => {
  const desk = await browsing.window(EN);
  await agentAt(server, desk, 'alice');
  const [ann, ben] = [await customer('from Ann'), await customer('from Ben')];
  const row = (text: string) => desk.locator('#open .item', { hasText: text });
  await row('from Ann').click();
  await desk.locator('input[value=staff]').check();
  await box(desk).fill('she has complained before');
  await row('from Ben').click();
  assert.equal(await desk.locator('input[value=all]').isChecked(), true);
  assert.equal(await box(desk).inputValue(), '');
  await row('from Ann').click();
  await box(desk).press('Enter');
  await bubble(desk, 'complained').and(desk.locator('.note:not(.pending)')).waitFor();
  assert.deepEqual(texts(ann.client, ann.chat), ['from Ann']);
  for (const { end } of [ann, ben]) await end();
  await serves(desk, 'stopped');
});

test('a conversation goes to and fro: by name, with a word for it, and new whenever it comes', async () => {
  const [alice, bob] = [await browsing.window(EN), await browsing.window(EN)];
  const accepted: string[] = [];
  alice.on('request', (request) => request.url().endsWith('/accept') && accepted.push(request.url()));
  await agentAt(server, alice, 'alice');
  const ann = await customer('where is my parcel?');
  const row = (desk: Page) => desk.locator('#open .item');
  const fresh = (desk: Page) => row(desk).locator('.tag', { hasText: 'New' });
  const handOver = async (desk: Page, to: string) => {
    await desk.locator('#transfer').click();
    await desk.locator('dialog select').selectOption({ label: to });
    await desk.locator('dialog button.strong').click();
  };
  await fresh(alice).waitFor();
  await row(alice).click();
  await fresh(alice).waitFor({ state: 'hidden' });
  await says(alice, 'This is Alice.');
  await until(ann.client, 'Alice has answered', () => texts(ann.client, ann.chat).length === 2);
  await agentAt(server, bob, 'bob');
  await alice.locator('#transfer').click();
  await alice.locator('dialog select').waitFor();
  await browsing.picture(alice, 'transfer');
  const places = await alice.locator('dialog').evaluate((dialog) => {
    const top = (selector: string) => dialog.querySelector(selector)?.getBoundingClientRect().top ?? 0;
    return { select: top('select'), remark: top('textarea'), label: top('label'), next: top('label + label'), buttons: top('.row') };
  });
  assert.ok(places.select > places.label + 10 && places.next > places.select + 10 && places.remark > places.next + 10, JSON.stringify(places));
  await alice.locator('dialog button[value=no]').click();
  await handOver(alice, (await namesOffered(alice))[0] ?? '');
  await alice.locator('#notice', { hasText: /^You handed the conversation with customer .* to Agent / }).waitFor();
  await row(alice).waitFor({ state: 'detached' });
  await alice.locator('#nobody').waitFor();
  assert.match((await alice.locator('#notice').textContent()) ?? '', /^You handed/, 'nor is it told that it went to somebody else');
  await row(bob).click();
  await bubble(bob, 'This is Alice.').locator('.who', { hasText: /^Agent Alice/ }).waitFor();
  await says(bob, 'This is Bob.');
  await until(ann.client, 'Bob has answered', () => texts(ann.client, ann.chat).includes('This is Bob.'));
  const offered = await namesOffered(bob);
  assert.match(offered[0] ?? '', /^Agent Alice/);
  await handOver(bob, offered[0] ?? '');
  await fresh(alice).waitFor();
  assert.equal(accepted.length, 1);
  await row(alice).click();
  await fresh(alice).waitFor({ state: 'hidden' });
  await bubble(alice, 'This is Bob.').locator('.who', { hasText: /^Agent Bob/ }).waitFor();
  assert.equal(accepted.length, 2);
  await ann.end();
  for (const desk of [alice, bob]) await serves(desk, 'stopped');
});

/** To whom the open conversation can be handed. */
async function namesOffered(desk: Page): Promise<string[]> {
  await desk.locator('#transfer').click();
  await desk.locator('dialog select').waitFor();
  const names = await desk.locator('dialog option').allTextContents();
  await desk.locator('dialog button[value=no]').click();
  return names;
}

test('what an agent wrote while the conversation went elsewhere stays, with whom it was for', async () => {
  const desk = await browsing.window(ZH);
  const { hold, release } = await holding(desk);
  await agentAt(server, desk, 'alice');
  const sue = await server.agent('sue');
  browsing.clients.push(sue);
  const ann = await customer('在吗？');
  await desk.locator('#open .item').click();
  hold();
  await says(desk, '我查到了');
  await bubble(desk, '我查到了').and(desk.locator('.pending')).waitFor();
  await sue.api.in('POST', `conversations/${ann.conversation()}/take-over`);
  await desk.locator('#open .item').waitFor({ state: 'detached' });
  release();
  const lost = desk.locator('#refused li');
  await lost.getByText(/^给顾客 [0-9A-F]{4}的消息未发出：/).waitFor();
  await lost.getByText('我查到了').waitFor();
  await browsing.picture(desk, 'refused');
  assert.doesNotMatch((await lost.textContent()) ?? '', /[a-z_]{4,}/, 'no raw codes');
  await desk.reload();
  await lost.getByText('我查到了').waitFor();
  await lost.locator('button', { hasText: '丢弃' }).click();
  await lost.waitFor({ state: 'detached' });
  assert.deepEqual(texts(ann.client, ann.chat), ['在吗？']);
  await ann.end();
  await serves(desk, 'stopped');
});

test('a desk that was signed out elsewhere says so, takes no text, and goes on after signing in', async () => {
  const desk = await browsing.window(EN);
  const { hold, release } = await holding(desk);
  await agentAt(server, desk, 'alice');
  const elsewhere = await server.agent('alice');
  browsing.clients.push(elsewhere);
  const ann = await customer('hello');
  await desk.locator('#open .item').click();
  hold();
  await says(desk, 'not sent yet');
  await box(desk).fill('half a sentence');
  const own = JSON.parse(String(await desk.evaluate('sessionStorage.getItem("kefu.desk.session")'))) as { session: string };
  await elsewhere.api.in('DELETE', `users/${elsewhere.session.user}/sessions/${own.session}`);
  await desk.locator('#signed-out', { hasText: 'not sent yet: 1' }).waitFor();
  await bubble(desk, 'not sent yet').getByText('it is sent when you have signed in again').waitFor();
  await browsing.picture(desk, 'signed-out');
  assert.equal(await box(desk).isDisabled(), true);
  assert.equal(await box(desk).inputValue(), 'half a sentence');
  release();
  await desk.locator('#sign-in-again').click();
  await signedInAt(server, desk, 'alice');
  await until(ann.client, 'what was not sent has come', () => texts(ann.client, ann.chat).includes('not sent yet'));
  assert.equal(await box(desk).inputValue(), 'half a sentence');
  assert.equal(await box(desk).isDisabled(), false);
  await ann.end();
  await serves(desk, 'stopped');
});

test('the open chat and what was begun outlive a switch of the language, and Back leads to the list', async () => {
  const desk = await browsing.window(EN, 480);
  await agentAt(server, desk, 'alice');
  const ann = await customer('hello');
  await desk.locator('#open .item').click();
  await desk.locator('input[value=staff]').check();
  await box(desk).fill('half a note');
  await desk.locator('#language button').click();
  await desk.getByText('内部备注（顾客看不到）').waitFor();
  await box(desk).waitFor();
  assert.equal(await box(desk).inputValue(), 'half a note');
  assert.equal(await desk.locator('input[value=staff]').isChecked(), true);
  for (const leave of [() => desk.goBack(), () => desk.locator('#back').click()]) {
    await leave();
    await desk.locator('#open .item').waitFor();
    assert.equal(await box(desk).isVisible(), false);
    await desk.locator('#open .item').click();
    await box(desk).waitFor();
  }
  await desk.goBack();
  await desk.reload();
  await desk.locator('#open .item').waitFor();
  assert.equal(await box(desk).isVisible(), false, 'the list was open');
  await ann.end();
  await serves(desk, 'stopped');
});

test('who waits stands on one line with the button, and left messages on that of the group', async () => {
  const desk = await browsing.window(EN);
  await desk.routeWebSocket('**/v1/ws', (link) => {
    const behind = link.connectToServer();
    behind.onMessage((text) => link.send(String(text).replace('"left_messages":0', '"left_messages":3')));
  });
  const published = await fetch(`${server.url}/v1/tenants/${TENANT}/flows/assignment`, {
    method: 'PUT',
    headers: { authorization: 'Bearer operator', 'content-type': 'application/json' },
    body: JSON.stringify({ text: 'flow: assignment\ndefault: { take: picked }\n' }),
  });
  assert.equal(published.status, 200, await published.text());
  await agentAt(server, desk, 'alice');
  const ann = await customer('hello');
  const row = desk.locator('#waiting li');
  await row.waitFor();
  const [group, wait, pick] = await row.evaluate((all) =>
    ['.dim', '.wait', 'button'].map((part) => all.querySelector(part)?.getBoundingClientRect().toJSON() as DOMRect),
  );
  assert.ok(group && wait && pick);
  assert.ok(wait.left > group.right && pick.left > wait.right, 'apart from each other');
  const height = await row.evaluate((all) => all.getBoundingClientRect().height);
  assert.ok(pick.top < wait.bottom && height < 70, `the button stands beside the words, ${height} px`);
  assert.doesNotMatch((await desk.locator('#hint').textContent()) ?? '', /automatically/);
  await desk.locator('#board .left', { hasText: 'left messages: 3' }).waitFor();
  await browsing.picture(desk, 'waiting');
  await ann.end();
  await serves(desk, 'stopped');
});
