/** Boards and growing answers: the latest wins, a new link begins anew, and nothing outlives what it told of. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { AnswerOverError, ApiError, type BoardFrame, type ChunkFrame, type Client } from '../src/client/index.js';
import { settle } from './fake_clock.js';
import { ANN, BEN, talking } from './world.js';

const ROBOT = 'robot';

const board = (group: string, waiting: number): BoardFrame => ({
  t: 'board',
  group,
  waiting,
  oldest_at: waiting === 0 ? null : 1_000,
  agents: 2,
  on_service: 1,
  free_slots: 1,
  left_messages: 0,
  in_service: 0,
});

test('boards show what was told last of what is watched, and are watched again on a new link', async () => {
  const { world } = await talking();
  const { client: ben } = await world.online(BEN);
  ben.watchBoards(['main', 'vip']);
  for (const told of [board('main', 1), board('main', 2), board('elsewhere', 9)]) world.server.signal(BEN, told);
  await settle();
  assert.equal(ben.board('main')?.waiting, 2);
  assert.deepEqual([ben.board('vip'), ben.board('elsewhere')], [null, null]);
  world.server.dropSockets();
  await world.clock.pass(1_000);
  assert.deepEqual(world.said(BEN, 'watch_board'), [1, 2].map(() => ({ t: 'watch_board', groups: ['main', 'vip'] })));
  ben.watchBoards(['main']);
  assert.equal(ben.board('main')?.waiting, 2, 'what is said anew is shown as it was until it is told');
  world.server.signal(BEN, { t: 'board', group: 'main', gone: true });
  await settle();
  assert.equal(ben.board('main'), null, 'it was taken away');
  world.server.signal(BEN, board('main', 2));
  await settle();
  assert.equal(ben.board('main')?.waiting, 2);
  ben.watchBoards([]);
  world.server.signal(BEN, board('main', 3));
  await settle();
  assert.equal(ben.board('main'), null);
});

test('over polls a watch names the device that polls, and a growing text needs none', async () => {
  const { world, chat } = await talking();
  const orders: Record<string, unknown>[] = [];
  const { fetch } = world.server;
  world.server.fetch = async (url, request) => {
    if (url.endsWith('/sendmessage')) orders.push(JSON.parse(String(request.body)) as Record<string, unknown>);
    return fetch(url, request);
  };
  const { client: ben } = await world.online(BEN, { sockets: false });
  ben.watchBoards(['main']);
  ben.answer(chat, 'staff').show('so far');
  await settle();
  const of = (code: string) => orders.find(({ bizCode }) => bizCode === code);
  assert.deepEqual(of('watch_board')?.['groups'], ['main']);
  assert.equal(typeof of('watch_board')?.['device'], 'string');
  const { id, ...chunk } = of('chunk') ?? {};
  assert.deepEqual(chunk, { bizCode: 'chunk', chat, content: 'so far', visibility: 'staff' });
  assert.match(String(id), /^[0-9a-f]{32}$/);
});

function shown(client: Client, chat: string): string[] {
  return client.growing(chat).map(({ content }) => content);
}

test('a growing answer is replaced by what it grew to, by its message, and by nothing that comes late', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  const chunk = (id: string, content: string): ChunkFrame => ({ t: 'chunk', chat, user: ROBOT, id, content });
  for (const content of ['Your', 'Your parcel']) world.server.signal(ANN, chunk('a1', content));
  await settle();
  assert.deepEqual(shown(ann, chat), ['Your parcel']);
  world.server.post(chat, ROBOT, 'Your parcel is on its way', 'a1');
  world.server.signal(ANN, chunk('a1', 'Your parcel is on'));
  await settle();
  assert.deepEqual(shown(ann, chat), []);
  world.server.signal(ANN, chunk('a2', 'Anything'));
  world.server.signal(ANN, chunk('a2', ''));
  await settle();
  assert.deepEqual(shown(ann, chat), [], 'it was given up');
  world.server.signal(ANN, chunk('a3', 'Anything else'));
  await world.clock.pass(9_999);
  assert.deepEqual(shown(ann, chat), ['Anything else']);
  await world.clock.pass(1);
  assert.deepEqual(shown(ann, chat), [], 'nothing was heard of it any more');
  world.server.signal(ANN, chunk('a4', 'Hm'));
  await settle();
  world.server.dropSockets();
  await settle();
  assert.deepEqual(shown(ann, chat), [], 'how it goes on is not known');
});

test('a growing answer is not taken for the message of somebody else who used its id', async () => {
  const { world, chat } = await talking();
  const { client: ann } = await world.online(ANN);
  for (const from of [ANN, BEN]) world.server.post(chat, from, 'mine', 'a1');
  world.server.signal(ANN, { t: 'chunk', chat, user: ROBOT, id: 'a1', content: 'Your parcel' });
  await settle();
  assert.deepEqual(shown(ann, chat), ['Your parcel']);
});

test('a robot tells what it has at most twice a second, the latest of it, and posts it under the same id', async () => {
  const { world, chat } = await talking();
  const { client: ben } = await world.online(BEN);
  const answer = ben.answer(chat);
  for (const text of ['a', 'ab', 'abc']) answer.show(text);
  await world.clock.pass(500);
  answer.show('abcd');
  await answer.post({ content: 'abcd.' });
  await world.clock.pass(1_000);
  answer.show('too late');
  const told = world.said(BEN, 'chunk') as ChunkFrame[];
  assert.deepEqual(told.map(({ content }) => content), ['a', 'abc']);
  assert.deepEqual(new Set(told.map(({ id }) => id)), new Set([answer.id]));
  assert.equal(world.server.chat(chat).messages.at(-1)?.client_msg_id, answer.id);
  const other = ben.answer(chat);
  other.show('never');
  other.giveUp();
  await settle();
  assert.deepEqual((world.said(BEN, 'chunk') as ChunkFrame[]).slice(2).map(({ content }) => content), ['never', '']);
});

test('an answer is posted once, and not after it was given up', async () => {
  const { world, chat } = await talking();
  const { client: ben } = await world.online(BEN);
  const [posted, dropped] = [ben.answer(chat), ben.answer(chat)];
  await assert.rejects(posted.post({ content: 'x'.repeat(65) }), (error) => error instanceof ApiError && error.code === 'message_too_long');
  await posted.post({ content: 'shorter' });
  await assert.rejects(posted.post({ content: 'again' }), AnswerOverError);
  dropped.giveUp();
  await assert.rejects(dropped.post({ content: 'after all' }), AnswerOverError);
  await settle();
  assert.deepEqual(world.server.texts(chat), ['shorter']);
  assert.equal(world.said(BEN, 'send').length, 1);
});

test('over polls a text that has grown meanwhile is told as it is now', async () => {
  const { world, chat } = await talking();
  const { fetch } = world.server;
  let goOn: () => void = () => assert.fail('nothing was told');
  const held = new Promise<void>((resolve) => (goOn = resolve));
  world.server.fetch = async (url, request) => {
    if (url.endsWith('/sendmessage')) await held;
    return fetch(url, request);
  };
  const { client: ben } = await world.online(BEN, { sockets: false });
  const [answer, other] = [ben.answer(chat), ben.answer(chat)];
  for (const text of ['a', 'ab', 'abc', 'abcd']) {
    answer.show(text);
    if (text === 'abc') other.show('besides');
    await world.clock.pass(500);
  }
  goOn();
  await settle();
  assert.deepEqual((world.said(BEN, 'chunk') as ChunkFrame[]).map(({ content }) => content), ['a', 'abcd', 'besides']);
});

test('a growing text that is refused does not refuse the message of its id', async () => {
  const { world, chat } = await talking();
  const { client: ben } = await world.online(BEN);
  const answer = ben.answer(chat);
  const order = world.server.order;
  world.server.order = (user, via, frame) =>
    frame.t === 'chunk'
      ? { t: 'nack', chat: frame.chat, chunk: frame.id, code: 'forbidden', detail: '', retry: false }
      : order.call(world.server, user, via, frame);
  answer.show('so far');
  await answer.post({ content: 'so far, so good' });
  await settle();
  assert.deepEqual(world.server.texts(chat), ['so far, so good']);
});
