/** Ways to the server: socket, polls, and back; dead links and dead polls. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { settle } from './fake_clock.js';
import { ANN, BEN, talking, texts } from './world.js';

test('after two failures of the socket polls carry everything, and a minute later the socket again', async () => {
  const { world, chat } = await talking();
  world.server.refuseSockets = true;
  const { client: ann } = await world.online(ANN);
  assert.equal(ann.status.state, 'waiting');
  await world.clock.pass(500);
  assert.equal(ann.status.state, 'waiting', 'one failure is not enough');
  await world.clock.pass(1_000);
  assert.deepEqual(ann.status, { state: 'online', via: 'poll' });
  await ann.send(chat, { content: 'over a poll' });
  world.server.post(chat, BEN, 'heard');
  await settle();
  assert.deepEqual(texts(ann, chat), ['over a poll', 'heard']);
  world.server.refuseSockets = false;
  await world.clock.pass(60_000);
  assert.deepEqual(ann.status, { state: 'online', via: 'socket' });
  world.server.post(chat, BEN, 'over the socket');
  await ann.send(chat, { content: 'me, too' });
  await settle();
  assert.deepEqual(texts(ann, chat), ['over a poll', 'heard', 'over the socket', 'me, too']);
});

test('a socket that is still broken does not disturb the polls', async () => {
  const { world, chat } = await talking();
  world.server.refuseSockets = true;
  const { client: ann } = await world.online(ANN);
  await world.clock.pass(200_000);
  assert.deepEqual(ann.status, { state: 'online', via: 'poll' });
  world.server.post(chat, BEN, 'hello');
  await settle();
  assert.deepEqual(texts(ann, chat), ['hello']);
});

test('a message that was on its way when the transport changed is posted once', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  world.server.loseAnswers = true;
  world.server.losing.add(world.server.feed(ANN).length + 1);
  await ann.send(chat, { content: 'once' });
  await settle();
  world.server.refuseSockets = true;
  world.server.dropSockets();
  await world.clock.pass(1_500);
  world.server.loseAnswers = false;
  await world.clock.pass(30_000);
  assert.deepEqual(ann.status, { state: 'online', via: 'poll' });
  const ways = new Set(world.server.heard.filter(({ frame }) => frame.t === 'send').map(({ via }) => via));
  assert.deepEqual(ways, new Set(['socket', 'poll']));
  assert.deepEqual(world.server.texts(chat), ['once']);
  assert.deepEqual(ann.outgoing(chat), []);
});

test('when polls fail, too, the socket is tried in between, and soon again when a poll is answered', async () => {
  const { world } = await talking();
  const { client: ann } = await world.online(ANN);
  world.server.refuseSockets = world.server.refuseHttp = true;
  world.server.dropSockets();
  const before = { sockets: world.server.socketTries, requests: world.server.requests.length };
  await world.clock.pass(120_000);
  assert.notEqual(ann.status.state, 'online');
  assert.ok(world.server.socketTries - before.sockets >= 3, 'the socket');
  assert.ok(world.server.requests.length - before.requests >= 2, 'polls');
  world.server.refuseSockets = world.server.refuseHttp = false;
  await world.clock.pass(50_000);
  assert.deepEqual(ann.status, { state: 'online', via: 'socket' });
});

test('pauses between tries grow to half a minute, and a hint that the network is back ends them', async () => {
  const { world } = await talking();
  const { client: ann } = await world.online(ANN);
  world.server.refuseSockets = world.server.refuseHttp = true;
  world.server.dropSockets();
  await world.clock.pass(300_000);
  assert.equal(ann.status.state, 'waiting');
  const before = world.clock.now();
  const until = ann.status.state === 'waiting' ? ann.status.untilMs : 0;
  assert.ok(until - before <= 45_000);
  world.server.refuseSockets = world.server.refuseHttp = false;
  ann.wake();
  await settle();
  assert.equal(ann.status.state, 'online');
  assert.equal(world.clock.now(), before);
});

test('a silent socket is asked for a sign of life, and given up without one', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  await world.clock.pass(25_000);
  assert.equal(world.said(ANN, 'ping').length, 1);
  world.server.silentSockets = true;
  await world.clock.pass(29_000);
  assert.deepEqual(ann.status, { state: 'online', via: 'socket' });
  world.server.post(chat, BEN, 'into the void');
  await world.clock.pass(1_000);
  assert.equal(ann.status.state, 'waiting', 'five seconds after the ping');
  world.server.silentSockets = false;
  await world.clock.pass(3_000);
  assert.deepEqual(ann.status, { state: 'online', via: 'socket' });
  assert.deepEqual(texts(ann, chat), ['into the void']);
});

test('a message without an answer makes one doubt the link, and a link that is doubted has five seconds', async () => {
  for (const sockets of [true, false]) {
    const { world, chat } = await talking();
    const { fetch } = world.server;
    let silent = false;
    world.server.fetch = async (url, request) => {
      if (!silent) return fetch(url, request);
      return new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(new TypeError('aborted'))));
    };
    const { client: ann } = await world.online(ANN, { sockets });
    world.server.silentSockets = silent = true;
    await ann.send(chat, { content: 'into the void' });
    await world.clock.pass(14_000);
    assert.equal(ann.status.state, 'online');
    await world.clock.pass(1_000);
    assert.notEqual(ann.status.state, 'online', sockets ? 'a socket' : 'polls');
    world.server.silentSockets = silent = false;
    await world.clock.pass(60_000);
    assert.deepEqual([ann.status.state, world.server.texts(chat)], ['online', ['into the void']]);
  }
});

test('a link that answers a doubt stays, and is asked once', async () => {
  for (const sockets of [true, false]) {
    const { world } = await talking();
    const { client: ann } = await world.online(ANN, { sockets });
    const before = world.server.hellos.length;
    await world.clock.pass(1_000);
    for (let times = 0; times < 3; times += 1) ann.doubt();
    await world.clock.pass(6_000);
    assert.equal(ann.status.state, 'online');
    if (sockets) assert.equal(world.said(ANN, 'ping').length, 1);
    assert.equal(world.server.hellos.length - before, sockets ? 0 : 1, 'a poll that does not wait is the ping of polls');
  }
});

test('a network that is gone is told at once, and one that is back is tried at once', async () => {
  for (const sockets of [true, false]) {
    const { world } = await talking();
    const { client: ann } = await world.online(ANN, { sockets });
    world.server.refuseSockets = world.server.refuseHttp = true;
    world.clock.tellNetwork(false);
    assert.notEqual(ann.status.state, 'online');
    await world.clock.pass(100_000);
    world.server.refuseSockets = world.server.refuseHttp = false;
    world.clock.tellNetwork(true);
    await settle();
    assert.equal(ann.status.state, 'online');
    await ann.stop();
    world.clock.tellNetwork(false);
    assert.equal(ann.status.state, 'stopped');
  }
});

test('a socket that says nothing at all is not waited for', async () => {
  const { world } = await talking();
  world.server.silentSockets = true;
  const { client: ann } = await world.online(ANN);
  await world.clock.pass(30_000);
  assert.deepEqual(ann.status, { state: 'online', via: 'poll' });
});

test('a poll that nobody answers is dead after its time and five seconds, and another follows', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN, { sockets: false });
  assert.deepEqual(ann.status, { state: 'online', via: 'poll' });
  world.server.hangPolls = 1;
  await world.clock.pass(25_000);
  const polls = () => world.server.requests.filter((request) => request.endsWith('/v1/keepalive')).length;
  const before = polls();
  world.server.post(chat, BEN, 'said meanwhile');
  await world.clock.pass(29_000);
  assert.deepEqual(texts(ann, chat), []);
  assert.equal(polls(), before);
  await world.clock.pass(1_000);
  assert.deepEqual(texts(ann, chat), ['said meanwhile']);
  assert.deepEqual(ann.status, { state: 'online', via: 'poll' });
});

test('what a client that polls says is shown at once, does not end its poll, and its item comes once', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN, { sockets: false });
  const polls = () => world.server.requests.filter((request) => request.endsWith('/v1/keepalive')).length;
  const cursor = () => world.server.feed(ANN).length;
  const before = polls();
  await ann.send(chat, { content: 'one' });
  await ann.send(chat, { content: 'two' });
  await settle();
  assert.deepEqual([texts(ann, chat), polls()], [['one', 'two'], before]);
  world.server.post(chat, BEN, 'three');
  await settle();
  assert.deepEqual([texts(ann, chat), polls()], [['one', 'two', 'three'], before + 1]);
  assert.equal(ann.cursor, cursor());
  await ann.send(chat, { content: 'four' });
  await world.clock.pass(1_000);
  assert.equal(ann.cursor, cursor(), 'alone it comes a second later');
  assert.deepEqual(texts(ann, chat), ['one', 'two', 'three', 'four']);
});

test('a client that polls repairs a gap from the feed', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN, { sockets: false });
  world.server.losing.add(ann.cursor + 1);
  world.server.post(chat, BEN, 'one');
  await settle();
  world.server.post(chat, BEN, 'two');
  await settle();
  assert.deepEqual(texts(ann, chat), ['one', 'two']);
});

test('a client that begins while the server is away has its lists when the server is back', async () => {
  const { world, chat } = await talking();
  world.server.refuseHttp = true;
  const { client: ann } = await world.device(ANN);
  const started = ann.start();
  await world.clock.pass(60_000);
  assert.notEqual(ann.status.state, 'online');
  world.server.refuseHttp = false;
  await world.clock.pass(60_000);
  await started;
  assert.equal(ann.status.state, 'online');
  assert.ok(ann.state.chats[chat]);
});
