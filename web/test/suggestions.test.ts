/** A robot suggests in Chromium: what it would answer is shown to whoever serves, who takes it, changes it and sends it. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Browsing, agentAt, bubble, customerAt, says, serves } from './browsing.js';
import { type RealServer, TENANT } from './real_server.js';

const LOOK = { locale: 'en-US', colorScheme: 'light' } as const;
const ARTICLES = {
  hours: { question: 'What are your opening hours?', similar: ['When are you open?', 'opening times'], answer: 'From 9 to 18.' },
  returns: { question: 'How do I return an order?', similar: ['send it back', 'return my parcel'], answer: 'Within 30 days.' },
};

let browsing: Browsing;
let server: RealServer;

before(async () => {
  browsing = await Browsing.start();
  server = browsing.server;
  for (const [name, article] of Object.entries(ARTICLES)) {
    const kept = await fetch(`${server.url}/v1/tenants/${TENANT}/articles/${name}`, {
      method: 'PUT',
      headers: { authorization: 'Bearer operator', 'content-type': 'application/json' },
      body: JSON.stringify(article),
    });
    assert.equal(kept.status, 200, await kept.text());
  }
});
after(() => browsing.end());

test('a suggestion is taken, changed and sent as the agent’s own, and the next message is none', async () => {
  const [alice, ann] = [await browsing.window(LOOK), await browsing.window(LOOK)];
  const sent: { t?: string; content?: string; suggestion?: string }[] = [];
  alice.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(JSON.parse(String(payload)))));
  await agentAt(server, alice, 'alice');
  await customerAt(server, ann);
  await says(ann, 'when are you open?');
  await alice.locator('#open .item').click();
  await bubble(alice, 'when are you open?').waitFor();
  await alice.locator('#suggest').click();
  await alice.locator('#suggestions button', { hasText: 'From 9 to 18.' }).waitFor();
  await browsing.picture(alice, 'suggestions');
  await alice.locator('#suggestions button', { hasText: 'From 9 to 18.' }).click();
  await alice.locator('#suggestions').waitFor({ state: 'hidden' });
  const box = alice.locator('#composer textarea');
  assert.equal(await box.inputValue(), 'From 9 to 18.');
  assert.equal(await bubble(ann, 'From 9 to 18.').count(), 0, 'nothing is said before it is sent');
  await box.fill('From 9 to 18, every day.');
  await box.press('Enter');
  await bubble(ann, 'From 9 to 18, every day.').waitFor();
  await says(alice, 'Anything else?');
  await bubble(ann, 'Anything else?').waitFor();
  const [first, second] = sent.filter((frame) => frame.t === 'send');
  assert.match(first?.suggestion ?? '', /^[0-9a-f]{32}$/);
  assert.equal(second?.suggestion, undefined);
  await serves(alice, 'stopped');
});
