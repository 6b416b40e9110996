/** How a client comes by its first state, and by another one when the server's feed is another than before. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type Client, MemoryStore } from '../src/client/index.js';
import { PollTransport } from '../src/client/poll.js';
import { SocketTransport } from '../src/client/socket.js';
import { settle } from './fake_clock.js';
import { ANN, BEN, World, comparable, talking, texts } from './world.js';

const WAYS = [true, false].flatMap((sockets) => (['list', 'feed'] as const).map((begin) => ({ begin, sockets })));
const named = ({ begin, sockets }: (typeof WAYS)[number]) => `${begin} first over ${sockets ? 'a socket' : 'polls'}`;

test('a client whose feed is empty asks for everything after 0, and misses nothing', async () => {
  for (const way of WAYS) {
    const world = new World();
    let chat = '';
    const opened = (): void => void (chat ||= world.server.openChat(ANN));
    const { fetch, openSocket } = world.server;
    // Between the lists and the link something happens.
    world.server.openSocket = (url) => (opened(), openSocket(url));
    world.server.fetch = async (url, request) => (url.endsWith('/keepalive') && opened(), fetch(url, request));
    const { client } = await world.online(ANN, way);
    assert.deepEqual(world.server.hellos, [{ via: way.sockets ? 'socket' : 'poll', after: 0 }], named(way));
    assert.equal(client.state.chats[chat]?.joined, true, named(way));
    assert.equal(client.cursor, 3, named(way));
    assert.deepEqual(world.said(ANN, 'range'), [], 'what comes by itself is not asked for');
  }
});

test('whoever wants only what comes from now on leaves the index out', async () => {
  const { world } = await talking();
  const events = { frame: () => undefined, ended: () => undefined };
  const request = { base: 'http://kefu', tenant: 't', token: async () => world.server.token(ANN), after: null };
  const environment = world.clock.environment(world.server.fetch, world.server.openSocket);
  const poll = new PollTransport({ environment, device: 'd', waitMs: () => 25_000 });
  const links = [new SocketTransport(world.server.openSocket).open(request, events), poll.open(request, events)];
  await settle();
  for (const link of links) link.close();
  const first = (way: string) => world.server.hellos.find(({ via }) => via === way);
  assert.deepEqual([first('socket'), first('poll')], [{ via: 'socket', after: undefined }, { via: 'poll', after: undefined }]);
});

test('both beginnings end in the same state, whether 0 means everything or nothing', async () => {
  for (const zeroMeansNow of [false, true]) {
    const { world, chat } = await talking();
    world.server.zeroMeansNow = zeroMeansNow;
    for (const text of ['one', 'two']) world.server.post(chat, ANN, text);
    const devices: Client[] = [];
    for (const way of WAYS) devices.push((await world.online(BEN, way)).client);
    // A server that sends nothing by itself is asked when nothing has come.
    await world.clock.pass(5_000);
    world.server.post(chat, ANN, 'three');
    await settle();
    for (const device of devices) await device.open(chat);
    const [lists, ...others] = devices.map((device) => comparable(device.state));
    for (const other of others) assert.deepEqual(other, lists);
    for (const device of devices) assert.deepEqual(texts(device, chat), ['one', 'two', 'three']);
  }
});

test('a long backlog is not asked for a second time while it comes', async () => {
  const { world, chat } = await talking();
  for (let nth = 0; nth < 50; nth += 1) world.server.post(chat, ANN, `message ${nth}`);
  const { client: ben } = await world.online(BEN, { begin: 'feed' });
  await world.clock.pass(20_000);
  assert.equal(texts(ben, chat).length, 50);
  assert.deepEqual(world.said(BEN, 'range'), []);
});

/** The server comes back from a backup that does not know the last things that were said. */
async function restored(way: (typeof WAYS)[number], store = new MemoryStore()) {
  const { world, chat } = await talking();
  world.server.post(chat, ANN, 'kept');
  const { client: ben } = await world.online(BEN, { ...way, store });
  for (const text of ['lost', 'this, too', 'and this']) world.server.post(chat, ANN, text);
  await settle();
  await ben.open(chat);
  assert.equal(texts(ben, chat).length, 4);
  const feed = world.server.feed(BEN);
  feed.splice(-3);
  world.server.chat(chat).messages.splice(-3);
  return { world, chat, ben, store, feed };
}

test('a cursor beyond the head is forgotten with the chats, once, and everything begins anew', async () => {
  for (const way of WAYS) {
    const { world, chat, ben, feed } = await restored(way);
    world.server.dropSockets();
    const inits = () => world.server.requests.filter((request) => request.endsWith('/v1/init')).length;
    const [asked, said] = [inits(), world.server.hellos.length];
    await world.clock.pass(way.sockets ? 2_000 : 30_000);
    world.server.post(chat, ANN, 'after the restore');
    await settle();
    await ben.open(chat);
    assert.deepEqual(texts(ben, chat), ['kept', 'after the restore'], named(way));
    assert.equal(ben.cursor, feed.length, named(way));
    assert.equal(inits() - asked, way.begin === 'list' ? 1 : 0, named(way));
    const hellos = world.server.hellos.slice(said).map(({ after }) => after);
    assert.equal(hellos.at(-1), way.begin === 'list' ? feed.length - 1 : 0, named(way));
    assert.ok(hellos.length <= 2, named(way));
    await world.clock.pass(3_000);
    const { client: fresh } = await world.online(BEN, way);
    await fresh.open(chat);
    assert.deepEqual(comparable(ben.state), comparable(fresh.state), named(way));
  }
});

test('what an app has kept of another feed is forgotten when it starts', async () => {
  const { world, chat, ben, store, feed } = await restored({ begin: 'feed', sockets: true });
  await ben.stop();
  const { client: again } = await world.online(BEN, { begin: 'feed', store });
  await world.clock.pass(1_000);
  assert.deepEqual(texts(again, chat), ['kept']);
  await again.stop();
  assert.match((await store.get('state')) ?? '', new RegExp(`"cursor":${feed.length},`));
});

test('lists that know more than the node to which one is connected are no reason to begin anew for ever', async () => {
  const { world, chat } = await talking();
  const { fetch } = world.server;
  let inits = 0;
  world.server.fetch = async (url, request) => {
    const answer = await fetch(url, request);
    if (!url.endsWith('/v1/init')) return answer;
    inits += 1;
    const init = (await answer.json()) as { head: number };
    return new Response(JSON.stringify({ ...init, head: init.head + 5 }));
  };
  const { client: ben } = await world.online(BEN);
  await world.clock.pass(5_000);
  assert.deepEqual([ben.status.state, inits], ['online', 2]);
  world.server.post(chat, ANN, 'heard all the same');
  await world.clock.pass(5_000);
  assert.deepEqual(texts(ben, chat), ['heard all the same']);
});
