/** Orders that are refused for now, or lost on the way: they are said again, over sockets and over polls. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError, type ServerFrame } from '../src/client/index.js';
import { settle } from './fake_clock.js';
import { ANN, BEN, type World, talking } from './world.js';

/** Refuses so many orders of each kind, for now or for good, as a server does it on its socket. */
function refusing(world: World, times: Record<string, number>, retry = true): void {
  const order = world.server.order;
  world.server.order = (user, via, frame) => {
    if ((times[frame.t] ?? 0) === 0) return order.call(world.server, user, via, frame);
    times[frame.t] = (times[frame.t] ?? 0) - 1;
    const { chat, message } = frame as { chat?: string; message?: string };
    const about = { ...(chat === undefined ? {} : { chat }), ...(message === undefined ? {} : { message }) };
    return { t: 'nack', ...about, code: retry ? 'busy' : 'forbidden', detail: '', retry } satisfies ServerFrame;
  };
}

for (const sockets of [true, false]) {
  const way = sockets ? 'a socket' : 'polls';

  test(`what is refused for now is said again after a pause that grows, over ${way}`, async () => {
    const { world, chat } = await talking();
    const { id } = world.server.post(chat, ANN, 'hello');
    const { client: ben } = await world.online(BEN, { sockets });
    refusing(world, { read: 2, hide: 1, watch: 1, watch_board: 1 });
    ben.markRead(chat);
    ben.watch([ANN]);
    ben.watchBoards(['main']);
    const hidden = ben.hide(chat, id);
    const carriedOut = () => ['read', 'hide', 'watch', 'watch_board'].map((kind) => world.said(BEN, kind).length);
    await world.clock.pass(499);
    assert.deepEqual(carriedOut(), [0, 0, 0, 0]);
    await world.clock.pass(1);
    assert.deepEqual(carriedOut(), [0, 1, 0, 0]);
    await world.clock.pass(1_000);
    assert.deepEqual(carriedOut(), [1, 1, 1, 1]);
    await hidden;
    assert.equal(world.server.chat(chat).reads[BEN], 1);
    await world.clock.pass(20_000);
    assert.deepEqual(carriedOut(), [1, 1, 1, 1], 'and not once more');
  });

  test(`what is refused for good is not said again, over ${way}`, async () => {
    const { world, chat } = await talking();
    const { id } = world.server.post(chat, ANN, 'hello');
    const { client: ben } = await world.online(BEN, { sockets });
    refusing(world, { read: 1, recall: 1, watch_board: 1 }, false);
    ben.markRead(chat);
    ben.watchBoards(['elsewhere']);
    await assert.rejects(ben.recall(chat, id), (error) => error instanceof ApiError && error.code === 'forbidden');
    await world.clock.pass(20_000);
    for (const kind of ['read', 'recall', 'watch_board']) assert.deepEqual(world.said(BEN, kind), [], kind);
  });
}

test('requests that are lost on the way are made again while the poll holds', async () => {
  const { world, chat } = await talking();
  world.server.post(chat, ANN, 'hello');
  const { client: ben } = await world.online(BEN, { sockets: false });
  world.server.refuseHttp = true;
  ben.markRead(chat);
  ben.watchBoards(['main']);
  await settle();
  world.server.refuseHttp = false;
  await world.clock.pass(1_000);
  assert.equal(world.server.chat(chat).reads[BEN], 1);
  assert.deepEqual(world.said(BEN, 'watch_board'), [{ t: 'watch_board', groups: ['main'] }]);
  assert.deepEqual(ben.status, { state: 'online', via: 'poll' });
});

test('a lost sign of writing repeats nothing that is watched', async () => {
  const { world, chat } = await talking();
  const { client: ben } = await world.online(BEN, { sockets: false });
  ben.watchBoards(['main']);
  await settle();
  world.server.refuseHttp = true;
  ben.typed(chat);
  await settle();
  world.server.refuseHttp = false;
  await world.clock.pass(5_000);
  assert.equal(world.said(BEN, 'watch_board').length, 1);
});
