/** The client against a real kefu: two people talk, the server is killed in the middle, and nothing is lost or doubled. */

import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

import { FileStore } from '../src/client/file_store.js';
import { ApiError, type Client } from '../src/client/index.js';
import { RealServer, SHOP, until } from './real_server.js';
import { comparable, texts } from './world.js';

let server: RealServer;
let alice: Client;
const clients: Client[] = [];

before(async () => {
  server = await RealServer.start();
  alice = await server.agent('alice');
  clients.push(alice);
  await alice.api.in('PUT', 'me/service', { status: 'started' });
});

after(async () => {
  for (const client of clients) await client.stop();
  await server.remove();
});

/** A customer who has entered and is served by the agent. */
async function served(options: Parameters<RealServer['customer']>[0] = {}): Promise<{ ann: Client; chat: string }> {
  const ann = await server.customer(options);
  clients.push(ann);
  const chat = await ann.api.enter(SHOP);
  await until(ann, 'the customer is served', () => ann.state.chats[chat]?.conversation?.status === 'serving');
  await until(alice, 'the agent has the chat', () => alice.state.chats[chat]?.conversation?.status === 'serving');
  return { ann, chat };
}

const said = (client: Client, chat: string, count: number) =>
  until(client, `${count} messages`, () => texts(client, chat).length >= count && client.outgoing(chat).length === 0);

/** Signals come beside the feed, so two devices may be a moment apart. */
async function same(one: Client, other: Client): Promise<void> {
  const isSame = () => isDeepStrictEqual(comparable(one.state), comparable(other.state));
  await until([one, other], 'the same state', isSame).catch((error: unknown) => {
    assert.deepEqual(comparable(one.state), comparable(other.state));
    throw error;
  });
}

test('two people talk, over a socket and over polls', async () => {
  for (const sockets of [true, false]) {
    const { ann, chat } = await served({ sockets });
    await until(ann, 'online', () => ann.status.state === 'online');
    assert.deepEqual(ann.status, { state: 'online', via: sockets ? 'socket' : 'poll' });
    await ann.send(chat, { content: '你好' });
    await said(alice, chat, 1);
    await until(alice, 'one is unread', () => alice.unread(chat) === 1);
    alice.typed(chat);
    await until(ann, 'the agent writes', () => ann.isTyping(chat));
    await alice.send(chat, { content: 'hello', quote: alice.state.chats[chat]?.messages[0]?.id ?? '' });
    await alice.send(chat, { content: 'only for us', visibility: 'staff' });
    await said(alice, chat, 3);
    await said(ann, chat, 2);
    assert.deepEqual(texts(ann, chat), ['你好', 'hello']);
    assert.equal(ann.state.chats[chat]?.messages[1]?.quoteText, '你好');
    alice.markRead(chat);
    await until(ann, 'the agent has read', () => ann.state.chats[chat]?.messages[0]?.read === true);
    await until(alice, 'nothing is unread', () => alice.unread(chat) === 0);
    const first = ann.state.chats[chat]?.messages[0]?.id ?? '';
    await ann.recall(chat, first);
    await until(alice, 'the recall has come', () => texts(alice, chat)[0] === null);
    await ann.hide(chat, ann.state.chats[chat]?.messages[1]?.id ?? '');
    assert.deepEqual(texts(ann, chat), [null, null]);
    await assert.rejects(ann.recall(chat, ann.state.chats[chat]?.messages[1]?.id ?? ''), ApiError);
    const conversation = ann.state.chats[chat]?.conversation?.id ?? '';
    await alice.api.inviteRating(conversation);
    await until(ann, 'the invitation has come', () => ann.state.invited[conversation] === true);
    await ann.api.rate(conversation, { score: 5, solved: true, comment: '很好' });
    await ann.api.end(conversation);
    await until(ann, 'the end has come', () => ann.state.chats[chat]?.conversation?.status === 'closed');
    assert.equal(ann.state.chats[chat]?.conversation?.score, 5);
    await until(alice, 'the agent has left the chat', () => alice.state.chats[chat] === undefined);
  }
});

test('the server is killed in the middle of a conversation, and nothing is lost or doubled', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kefu-outbox-'));
  const store = new FileStore(directory);
  const { ann, chat } = await served({ store });
  const lines = { ann: [] as string[], alice: [] as string[] };
  const speak = async (nth: number) => {
    lines.ann.push(`ann ${nth}`);
    lines.alice.push(`alice ${nth}`);
    await Promise.all([ann.send(chat, { content: `ann ${nth}` }), alice.send(chat, { content: `alice ${nth}` })]);
  };
  for (let nth = 0; nth < 10; nth += 1) await speak(nth);
  await until(ann, 'some are posted', () => texts(ann, chat).length >= 3);
  await server.kill();
  for (let nth = 10; nth < 20; nth += 1) await speak(nth);
  await until(ann, 'the loss is noticed', () => ann.status.state !== 'online');
  assert.ok((await readdir(directory)).length > 1, 'what waits is in the files of the outbox');
  await server.restart();
  for (const client of [ann, alice]) client.wake();
  for (let nth = 20; nth < 25; nth += 1) await speak(nth);
  for (const client of [ann, alice]) await said(client, chat, 50);
  for (const client of [ann, alice]) {
    const all = texts(client, chat);
    assert.equal(all.length, 50);
    assert.deepEqual(all.filter((text) => text?.startsWith('ann')), lines.ann);
    assert.deepEqual(all.filter((text) => text?.startsWith('alice')), lines.alice);
  }
  assert.deepEqual(texts(ann, chat), texts(alice, chat));
  await ann.stop();
  assert.deepEqual(await store.keys('outbox/'), []);
  await rm(directory, { recursive: true });
});

test('lists first and feed first end in the same state', async () => {
  const { ann, chat } = await served();
  for (let nth = 0; nth < 5; nth += 1) {
    await ann.send(chat, { content: `question ${nth}` });
    await alice.send(chat, { content: `answer ${nth}` });
  }
  await said(ann, chat, 10);
  const second = await ann.api.enter(SHOP, { page: 'order', subject: 'A-1' });
  assert.equal(second, chat);
  const asked = ann.state.chats[chat]?.messages.find((message) => message.from === ann.session.user);
  await ann.recall(chat, asked?.id ?? '');
  ann.markRead(chat);
  alice.markRead(chat, 4);
  const before = await server.customer();
  clients.push(before);
  const ended = await before.api.enter(SHOP);
  await until(before, 'served', () => before.state.chats[ended]?.conversation?.status === 'serving');
  const conversation = before.state.chats[ended]?.conversation?.id ?? '';
  await before.api.rate(conversation, { score: 4 });
  await before.api.end(conversation);
  await before.send(ended, { content: 'and one more thing' });
  await until(before, 'served again', () => before.state.chats[ended]?.conversation?.status === 'serving');
  await until(alice, 'the agent is back', () => alice.state.chats[ended]?.joined === true && alice.outgoing(chat).length === 0);
  for (const [witness, where] of [[ann, chat], [alice, chat], [before, ended]] as const) {
    const begins = [
      await server.another(witness, { begin: 'list' }),
      await server.another(witness, { begin: 'feed' }),
      await server.another(witness, { begin: 'feed', sockets: false }),
    ];
    clients.push(...begins);
    const text = `now everybody is here, ${witness.session.user}`;
    await witness.send(where, { content: text });
    for (const client of begins) {
      await until(client, 'the last message has come', () => texts(client, where).includes(text));
      await until([client, witness], 'everything has come', () => client.cursor === witness.cursor);
      await until(client, 'everything is described', () => Object.values(client.state.chats).every((known) => known.described));
      for (const known of Object.keys(client.state.chats)) await client.open(known);
    }
    const [lists, ...others] = begins;
    assert.ok(lists);
    for (const other of others) await same(other, lists);
    for (const client of begins) await client.stop();
  }
});

test('a device that is signed out elsewhere is told', async () => {
  const bob = await server.agent('bob');
  const other = await server.agent('bob');
  clients.push(bob, other);
  await until(other, 'online', () => other.status.state === 'online');
  await bob.api.in('DELETE', `users/${bob.session.user}/sessions/${other.session.id}`);
  await until(other, 'signed out', () => other.status.state === 'signed_out');
  assert.equal(bob.status.state, 'online');
});
