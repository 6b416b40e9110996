/** Files over HTTP: what may pass is asked for again, and what is gone is not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError, NetworkError } from '../src/client/index.js';
import { ANN, World } from './world.js';

const FILE = `/v1/tenants/t/attachments/${'0'.repeat(32)}`;

/** A client whose server answers files in this way, and how often it was asked. */
async function answering(...answers: (() => Response)[]) {
  const world = new World();
  const asked = { times: 0 };
  const { fetch } = world.server;
  world.server.fetch = async (url, request) => {
    if (!url.endsWith(FILE)) return fetch(url, request);
    const answer = answers[Math.min(asked.times, answers.length - 1)];
    asked.times += 1;
    return answer?.() ?? assert.fail();
  };
  const { client } = await world.device(ANN);
  return { world, client, asked };
}

const lost = (): Response => {
  throw new TypeError('connection reset');
};
const refused = (status: number) => () => new Response('{"code":"of_the_test"}', { status });

test('a file is asked for again while it may come', async () => {
  const { world, client, asked } = await answering(lost, refused(503), refused(429), () => new Response('bytes'));
  const file = client.api.attachment(FILE);
  await world.clock.pass(5_000);
  assert.equal(await (await file).text(), 'bytes');
  assert.equal(asked.times, 4);
});

test('a file that is gone is not asked for again, and one that never comes not for ever', async () => {
  const gone = await answering(refused(404));
  await assert.rejects(gone.client.api.attachment(FILE), (error) => error instanceof ApiError && error.status === 404);
  assert.equal(gone.asked.times, 1);
  const away = await answering(lost);
  const file = assert.rejects(away.client.api.attachment(FILE), NetworkError);
  await away.world.clock.pass(60_000);
  await file;
  assert.equal(away.asked.times, 5);
});
