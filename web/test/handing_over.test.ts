/** Picking, handing over and rating in Chromium: who waits is picked, the next one reads the remark, and tags may be chosen. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Browsing, agentAt, bubble, customerAt, ends, says, serves } from './browsing.js';
import { type RealServer, TENANT } from './real_server.js';

const EN = { locale: 'en-US', colorScheme: 'light' } as const;
const ZH = { locale: 'zh-CN', colorScheme: 'light' } as const;
const PICKED = 'flow: assignment\ndefault: { take: picked }\n';
const RECEPTION = `flow: reception
languages: [en]
destinations:
  us: { group: main }
route:
  - { to: us }
rating: { tags: [quick_answer, patient] }
`;

let browsing: Browsing;
let server: RealServer;

before(async () => {
  browsing = await Browsing.start();
  server = browsing.server;
  for (const [kind, text] of [['assignment', PICKED], ['reception', RECEPTION]]) {
    const published = await fetch(`${server.url}/v1/tenants/${TENANT}/flows/${kind}`, {
      method: 'PUT',
      headers: { authorization: 'Bearer operator', 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    assert.equal(published.status, 200, await published.text());
  }
});
after(() => browsing.end());

test('who waits is picked, handed over with a remark, and rates with a tag', async () => {
  const [alice, bob, ann] = [await browsing.window(EN), await browsing.window(ZH), await browsing.window(EN)];
  await agentAt(server, alice, 'alice');
  await customerAt(server, ann);
  await says(ann, 'hello');
  await alice.locator('#waiting button', { hasText: 'Pick' }).click();
  await alice.locator('#open .item').click();
  await bubble(alice, 'hello').waitFor();
  await alice.locator('#waiting li').waitFor({ state: 'detached' });
  await agentAt(server, bob, 'bob');
  await alice.locator('#transfer').click();
  await alice.locator('dialog textarea[name=remark]').fill('wants a refund');
  await alice.locator('dialog button.strong').click();
  await bob.locator('#open .item').click();
  await bob.locator('#messages', { hasText: 'wants a refund' }).waitFor();
  await says(bob, 'I can help');
  await bubble(ann, 'I can help').waitFor();
  assert.doesNotMatch((await ann.locator('#messages').textContent()) ?? '', /refund/);
  await ends(bob);
  await ann.locator('#rating input[name=score][value="5"]').check();
  await ann.locator('#rating input[name=tag][value=quick_answer]').check();
  const sent = ann.waitForRequest((request) => request.url().endsWith('/rating'));
  await ann.locator('#rating button[type=submit]').click();
  assert.deepEqual((await sent).postDataJSON(), { score: 5, solved: false, tags: ['quick_answer'] });
  for (const desk of [alice, bob]) await serves(desk, 'stopped');
});
