/** The cursor: what comes twice, late, early or not at all. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FeedCursor } from '../src/client/feed.js';
import type { Item } from '../src/client/index.js';

const item = (i: number): Item => ({ t: 'item', i, p: i - 1, pos: `s0c${i}e0`, at: i, k: 'merged_into', into: 'x' });
const indexes = (items: Item[]) => items.map(({ i }) => i);

test('items in order are applied as they come', () => {
  const feed = new FeedCursor(7);
  assert.deepEqual(indexes(feed.take(item(8))), [8]);
  assert.deepEqual(indexes(feed.take(item(9))), [9]);
  assert.equal(feed.index, 9);
  assert.equal(feed.missing(), null);
});

test('an item that is not beyond the cursor is passed over', () => {
  const feed = new FeedCursor(7);
  assert.deepEqual(feed.take(item(7)), []);
  feed.take(item(8));
  assert.deepEqual(feed.take(item(8)), []);
});

test('an item beyond a gap waits until the gap is filled', () => {
  const feed = new FeedCursor(0);
  assert.deepEqual(feed.take(item(3)), []);
  assert.deepEqual(feed.missing(), { after: 0, to: 2 });
  assert.deepEqual(feed.take(item(5)), []);
  assert.deepEqual(indexes(feed.take(item(1))), [1]);
  assert.deepEqual(indexes(feed.take(item(2))), [2, 3]);
  assert.deepEqual(feed.missing(), { after: 3, to: 4 });
  assert.deepEqual(indexes(feed.take(item(4))), [4, 5]);
  assert.equal(feed.missing(), null);
});

test('a feed that is known to reach further misses what did not come', () => {
  const feed = new FeedCursor(0);
  feed.expect(2_500);
  assert.deepEqual(feed.missing(), { after: 0, to: 1_000 });
});

test('what does not fit aside is missed again later', () => {
  const feed = new FeedCursor(0);
  for (let i = 2; i <= 5_000; i += 1) feed.take(item(i));
  assert.deepEqual(feed.missing(), { after: 0, to: 1 });
  feed.take(item(1));
  assert.equal(feed.index, 4_097);
  assert.deepEqual(feed.missing(), { after: 4_097, to: 5_000 });
});
