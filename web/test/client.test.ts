/** The client against a server in memory: gaps, repeats, resuming, order, lost answers, refusals, tokens. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError, type Draft, MemoryStore } from '../src/client/index.js';
import { settle } from './fake_clock.js';
import { ANN, BEN, comparable, talking, texts } from './world.js';

const says = (content: string): Draft => ({ content });

test('two people talk', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  const { client: ben } = await world.online(BEN);
  await ann.send(chat, says('hello'));
  await settle();
  await ben.send(chat, says('welcome'));
  await settle();
  assert.deepEqual(texts(ann, chat), ['hello', 'welcome']);
  assert.deepEqual(texts(ben, chat), ['hello', 'welcome']);
  assert.deepEqual(ann.outgoing(chat), []);
});

test('a lost item is asked for as a range and applied in its place', async () => {
  const { world, chat } = await talking();
  const { client: ben } = await world.online(BEN);
  world.server.losing.add(ben.cursor + 1);
  for (const text of ['one', 'two', 'three']) world.server.post(chat, ANN, text);
  await settle();
  assert.deepEqual(texts(ben, chat), ['one', 'two', 'three']);
  assert.equal(world.said(BEN, 'range').length, 1);
  assert.equal(ben.cursor, world.server.feed(BEN).length);
});

test('a range that does not come is asked for again', async () => {
  const { world, chat } = await talking();
  const { client: ben } = await world.online(BEN);
  world.server.losing.add(ben.cursor + 1);
  world.server.post(chat, ANN, 'one');
  world.server.post(chat, ANN, 'two');
  world.server.ignoreRanges = 1;
  await settle();
  assert.deepEqual(texts(ben, chat), []);
  await world.clock.pass(5_000);
  assert.deepEqual(texts(ben, chat), ['one', 'two']);
});

test('what comes twice is shown once', async () => {
  const { world, chat } = await talking();
  const { client: ben } = await world.online(BEN);
  world.server.post(chat, ANN, 'once');
  await settle();
  const last = world.server.feed(BEN).at(-1);
  assert.ok(last);
  world.server.signal(BEN, last);
  await settle();
  assert.deepEqual(texts(ben, chat), ['once']);
});

test('after an absence exactly what was missed comes', async () => {
  const { world, chat } = await talking();
  const { client: ben } = await world.online(BEN);
  world.server.dropSockets();
  await settle();
  assert.equal(ben.status.state, 'waiting');
  for (const text of ['one', 'two']) world.server.post(chat, ANN, text);
  await world.clock.pass(1_000);
  assert.deepEqual(ben.status, { state: 'online', via: 'socket' });
  assert.deepEqual(texts(ben, chat), ['one', 'two']);
});

test('a message whose ack was lost is sent again under the same id and posted once', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  world.server.loseAnswers = true;
  world.server.losing.add(world.server.feed(ANN).length + 1);
  await ann.send(chat, says('once'));
  await settle();
  world.server.loseAnswers = false;
  world.server.dropSockets();
  await world.clock.pass(1_000);
  const sent = world.said(ANN, 'send') as { id: string }[];
  assert.ok(sent.length >= 1);
  assert.equal(new Set(sent.map(({ id }) => id)).size, 1);
  assert.deepEqual(world.server.texts(chat), ['once']);
  assert.deepEqual(ann.outgoing(chat), []);
  assert.deepEqual(texts(ann, chat), ['once']);
});

test('the item of a message says as much as its ack', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  world.server.loseAnswers = true;
  await ann.send(chat, says('once'));
  await settle();
  assert.deepEqual(ann.outgoing(chat), []);
  await world.clock.pass(60_000);
  assert.equal(world.said(ANN, 'send').length, 1);
});

test('a message that is not answered on a living link is said again', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  world.server.losing.add(world.server.feed(ANN).length + 1);
  world.server.loseAnswers = true;
  await ann.send(chat, says('once'));
  await settle();
  world.server.loseAnswers = false;
  await world.clock.pass(15_000);
  assert.equal(world.said(ANN, 'send').length, 2);
  assert.deepEqual(world.server.texts(chat), ['once']);
  assert.deepEqual(ann.outgoing(chat), []);
});

test('a refusal that may pass is waited out, and nothing overtakes the message in its chat', async () => {
  const { world, chat } = await talking();
  const other = world.server.openChat(ANN, 'other');
  const { client: ann } = await world.online(ANN);
  world.server.refusals.push({ code: 'busy', retry: true });
  await ann.send(chat, says('first'));
  await settle();
  await ann.send(chat, says('second'));
  await ann.send(other, says('elsewhere'));
  await settle();
  assert.deepEqual(world.server.texts(chat), []);
  assert.deepEqual(world.server.texts(other), ['elsewhere']);
  await world.clock.pass(10_000);
  assert.deepEqual(world.server.texts(chat), ['first', 'second']);
});

test('a final refusal is shown, lets the next message go, and can be sent anew or thrown away', async () => {
  const { world, chat } = await talking();
  const { client: ann, store } = await world.online(ANN);
  world.server.refusals.push({ code: 'not_yours_any_more', retry: false });
  await ann.send(chat, says('refused'));
  await ann.send(chat, says('taken'));
  await settle();
  assert.deepEqual(world.server.texts(chat), ['taken']);
  const [failed] = ann.outgoing(chat);
  assert.equal(failed?.code, 'not_yours_any_more');
  await ann.sendAgain(failed?.id ?? '');
  await settle();
  assert.deepEqual(world.server.texts(chat), ['taken', 'refused']);
  assert.deepEqual(await store.keys('outbox/'), []);
});

test('messages keep their order within a chat however often the link breaks', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  const wanted: string[] = [];
  for (let nth = 0; nth < 12; nth += 1) {
    wanted.push(`message ${nth}`);
    await ann.send(chat, says(`message ${nth}`));
    if (nth % 3 === 0) world.server.dropSockets();
    if (nth % 4 === 1) await world.clock.pass(700);
  }
  await world.clock.pass(60_000);
  assert.deepEqual(world.server.texts(chat), wanted);
  assert.deepEqual(texts(ann, chat), wanted);
});

test('the outbox survives a restart of the client', async () => {
  const { world, chat } = await talking();
  const store = new MemoryStore();
  const { client: before } = await world.online(ANN, { store });
  world.server.refuseSockets = world.server.refuseHttp = true;
  world.server.dropSockets();
  await settle();
  for (const text of ['one', 'two', 'three']) await before.send(chat, says(text));
  await before.stop();
  assert.deepEqual(world.server.texts(chat), []);
  world.server.refuseSockets = world.server.refuseHttp = false;
  const { client: after } = await world.online(ANN, { store });
  await settle();
  assert.deepEqual(world.server.texts(chat), ['one', 'two', 'three']);
  assert.deepEqual(await store.keys('outbox/'), []);
  assert.deepEqual(texts(after, chat), ['one', 'two', 'three']);
});

test('a message that is too long is refused before it is taken', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  await assert.rejects(ann.send(chat, says('客'.repeat(22))), (error) => error instanceof ApiError && error.code === 'message_too_long');
  await ann.send(chat, says('客'.repeat(21)));
});

test('a message that breaks the link every time is given up', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  const send = world.server.order;
  world.server.order = (user, via, frame) => {
    if (frame.t !== 'send' || frame.content !== 'poison') return send.call(world.server, user, via, frame);
    world.server.dropSockets('bad_frame');
    return null;
  };
  await ann.send(chat, says('poison'));
  await ann.send(chat, says('after it'));
  await world.clock.pass(60_000);
  assert.equal(ann.outgoing(chat)[0]?.code, 'bad_frame');
  assert.deepEqual(world.server.texts(chat), ['after it']);
});

test('reading, recalling and hiding reach everybody whom they concern', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  const { client: ben } = await world.online(BEN);
  await ann.send(chat, says('one'));
  await ann.send(chat, says('two'));
  await settle();
  ben.markRead(chat);
  await settle();
  assert.deepEqual(ann.state.chats[chat]?.messages.map(({ read }) => read), [true, true]);
  const [first, second] = ann.state.chats[chat]?.messages ?? [];
  assert.ok(first && second);
  await ann.recall(chat, first.id);
  await ben.hide(chat, second.id);
  await settle();
  assert.deepEqual(texts(ben, chat), [null, null]);
  assert.deepEqual(texts(ann, chat), [null, 'two']);
  await assert.rejects(ben.recall(chat, second.id), (error) => error instanceof ApiError && error.code === 'not_recallable');
});

test('what was read while nobody was connected is told afterwards', async () => {
  const { world, chat } = await talking();
  world.server.post(chat, ANN, 'hello');
  const { client: ben } = await world.online(BEN);
  world.server.dropSockets();
  await settle();
  ben.markRead(chat);
  await world.clock.pass(1_000);
  assert.equal(world.server.chat(chat).reads[BEN], 1);
});

test('signals: the latest wins, a whole one replaces all, typing ends by itself', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  world.server.signal(ANN, { t: 'unread', chats: { [chat]: 3, other: 1 }, whole: true });
  world.server.signal(ANN, { t: 'unread', chats: { [chat]: 0 }, whole: false });
  world.server.signal(ANN, { t: 'typing', chat, on: true });
  world.server.signal(ANN, { t: 'queue', conversation: 'c', position: 3, wait_s: 120 });
  await settle();
  assert.deepEqual(ann.state.unread, { other: 1 });
  assert.deepEqual(ann.state.queue, { c: { position: 3, waitS: 120 } });
  assert.equal(ann.isTyping(chat), true);
  await world.clock.pass(10_000);
  assert.equal(ann.isTyping(chat), false);
});

test('writing is told every five seconds, and its end once', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  for (let second = 0; second < 7; second += 1) {
    ann.typed(chat);
    await world.clock.pass(1_000);
  }
  await world.clock.pass(10_000);
  assert.deepEqual(world.said(ANN, 'typing').map((frame) => (frame as { on: boolean }).on), [true, true, false]);
});

test('a token that ran out is exchanged once, under a key that a repeat would share', async () => {
  const { world, chat } = await talking();
  const { client: ann, store } = await world.online(ANN);
  world.server.spent.add(world.server.token(ANN));
  world.server.dropSockets('expired');
  await world.clock.pass(2_000);
  assert.deepEqual(ann.status, { state: 'online', via: 'socket' });
  assert.equal(world.server.refreshKeys.length, 1);
  await ann.send(chat, says('still here'));
  await settle();
  assert.deepEqual(world.server.texts(chat), ['still here']);
  assert.match((await store.get('session')) ?? '', /ann:2/);
});

test('two windows over one store exchange a token once', async () => {
  const { world } = await talking();
  const store = new MemoryStore();
  const { client: one } = await world.online(ANN, { store });
  const { client: other } = await world.online(ANN, { store });
  world.server.spent.add(world.server.token(ANN));
  world.server.dropSockets('expired');
  await world.clock.pass(2_000);
  assert.equal(one.status.state, 'online');
  assert.equal(other.status.state, 'online');
  assert.ok(new Set(world.server.refreshKeys).size === 1, 'one key, so one new pair');
});

test('a sign-in that is over is told, and nothing is tried any more', async () => {
  const { world } = await talking();
  const { client: ann } = await world.online(ANN);
  world.server.signedOut = true;
  world.server.spent.add(world.server.token(ANN));
  world.server.dropSockets('revoked');
  await settle();
  assert.equal(ann.status.state, 'signed_out');
  const asked = world.server.requests.length;
  await world.clock.pass(600_000);
  assert.equal(world.server.requests.length, asked);
});

test('a feed that is shorter than the cursor is another one, and everything begins anew', async () => {
  const { world, chat } = await talking();
  for (const begin of ['list', 'feed'] as const) {
    const { client: ben } = await world.online(BEN, { begin });
    world.server.post(chat, ANN, 'lost by the restore');
    world.server.post(chat, ANN, 'this, too');
    await settle();
    const feed = world.server.feed(BEN);
    feed.splice(-2);
    world.server.chat(chat).messages.splice(-2);
    world.server.dropSockets();
    await world.clock.pass(3_000);
    assert.equal(ben.cursor, feed.length, begin);
    assert.deepEqual(texts(ben, chat), [], begin);
    await ben.stop();
  }
});

test('lists first and feed first end in the same state', async () => {
  const { world, chat } = await talking();
  const speak = async (nth: number) => {
    world.server.post(chat, ANN, `question ${nth}`);
    world.server.post(chat, BEN, `answer ${nth}`);
    await settle();
  };
  await speak(1);
  // An app that was here before, and one that never was.
  const store = new MemoryStore();
  const { client: earlier } = await world.online(BEN, { begin: 'feed', store });
  await earlier.stop();
  await speak(2);
  const second = world.server.openChat(ANN, 'second');
  world.server.post(second, ANN, 'to another shop');
  world.server.assign(second, BEN);
  const devices = [
    await world.online(BEN, { begin: 'list' }),
    await world.online(BEN, { begin: 'feed', store }),
    await world.online(BEN, { begin: 'feed' }),
    await world.online(BEN, { begin: 'list', sockets: false }),
    await world.online(BEN, { begin: 'feed', sockets: false }),
  ];
  await speak(3);
  const recalled = world.server.chat(chat).messages[2];
  assert.ok(recalled);
  world.server.order(ANN, 'socket', { t: 'recall', chat, message: recalled.id });
  world.server.order(ANN, 'socket', { t: 'read', chat, seq: 4 });
  world.server.order(BEN, 'socket', { t: 'read', chat, seq: 3 });
  world.server.close(second);
  await settle();
  for (const { client } of devices) for (const id of [chat, second]) await client.open(id);
  await settle();
  const [lists, ...others] = devices.map(({ client }) => comparable(client.state));
  for (const other of others) assert.deepEqual(other, lists);
  assert.equal(devices[0]?.client.state.chats[chat]?.messages.length, 6);
});

test('a count that came whole is not undone by an older item that is replayed after it', async () => {
  const { world, chat } = await talking();
  world.server.leave(chat, BEN);
  world.server.assign(chat, BEN);
  world.server.post(chat, ANN, 'are you back?');
  world.server.whole = (user) => (user === BEN ? [{ t: 'unread', chats: { [chat]: 1 }, whole: true }] : []);
  const devices = [];
  for (const begin of ['list', 'feed'] as const) {
    for (const sockets of [true, false]) devices.push(await world.online(BEN, { begin, sockets }));
  }
  await settle();
  const [lists, ...others] = devices.map(({ client }) => client);
  assert.ok(lists);
  assert.deepEqual(lists.state.unread, { [chat]: 1 });
  for (const other of others) {
    assert.equal(other.cursor, lists.cursor);
    assert.deepEqual(other.state.unread, lists.state.unread);
  }
  world.server.leave(chat, BEN);
  await settle();
  for (const { client } of devices) assert.deepEqual([Object.keys(client.state.chats), client.state.unread], [[], {}]);
});
