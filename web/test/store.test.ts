/** Every store keeps, finds and forgets alike, and what must survive a restart does. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { FileStore } from '../src/client/file_store.js';
import { BrowserStore, type KeyValueStore, MemoryStore, StoreError, openBrowserStore } from '../src/client/index.js';
import { settle } from './fake_clock.js';
import { ANN, talking } from './world.js';

/** What a browser has, as far as it is used. */
class FakeStorage {
  private readonly values = new Map<string, string>();
  get length(): number {
    return this.values.size;
  }
  key = (nth: number) => [...this.values.keys()][nth] ?? null;
  getItem = (key: string) => this.values.get(key) ?? null;
  setItem = (key: string, value: string) => void this.values.set(key, value);
  removeItem = (key: string) => void this.values.delete(key);
  clear = () => this.values.clear();
}

async function contract(store: KeyValueStore, restarted: () => KeyValueStore): Promise<void> {
  assert.equal(await store.get('outbox/1'), null);
  await store.delete('outbox/1');
  assert.deepEqual(await store.keys(''), []);
  await store.set('outbox/2', 'two');
  await store.set('outbox/1', '一');
  await store.set('session', '{}');
  await store.set('outbox/2', 'two again');
  assert.deepEqual(await store.keys('outbox/'), ['outbox/1', 'outbox/2']);
  await store.delete('session');
  const after = restarted();
  assert.equal(await after.get('outbox/1'), '一');
  assert.equal(await after.get('outbox/2'), 'two again');
  assert.deepEqual(await after.keys(''), ['outbox/1', 'outbox/2']);
}

test('a store in memory', async () => {
  const store = new MemoryStore();
  await contract(store, () => store);
});

test('a store in the files of a directory', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'kefu-store-'));
  const directory = join(parent, 'made when needed');
  await contract(new FileStore(directory), () => new FileStore(directory));
  await rm(parent, { recursive: true });
});

test('a store in a browser, beside those of other pages', async () => {
  const storage = new FakeStorage();
  await new BrowserStore(storage, 'another.').set('outbox/9', 'not ours');
  await contract(new BrowserStore(storage, 'ours.'), () => new BrowserStore(storage, 'ours.'));
  assert.equal(storage.length, 3);
});

test('a browser without a database, or with one that refuses, keeps the store that was there before', async () => {
  const before = new MemoryStore();
  await before.set('outbox/1', 'one');
  const refusing = () => {
    const opening: { error: Error; onerror?: () => void } = { error: new Error('not in a private window') };
    queueMicrotask(() => opening.onerror?.());
    return { open: () => opening } as unknown as IDBFactory;
  };
  const forbidden = () => {
    throw new Error('storage is forbidden here');
  };
  for (const factory of [() => undefined, forbidden, refusing]) {
    assert.equal(await openBrowserStore('ours', before, factory), before);
  }
  assert.equal(await openBrowserStore('ours', before), before, 'Node has none');
  assert.equal(await before.get('outbox/1'), 'one', 'nothing was moved');
});

test('what a full store does not keep is told at once, and goes out all the same', async () => {
  const { world, chat } = await talking();
  const full = new MemoryStore();
  const { client: ann } = await world.online(ANN, { store: full });
  full.set = async () => assert.fail('no room');
  world.server.refuseSockets = world.server.refuseHttp = true;
  world.server.dropSockets();
  await settle();
  let told: readonly unknown[] = [];
  ann.subscribe(() => (told = ann.troubles));
  await ann.send(chat, { content: 'all the same' });
  await settle();
  assert.deepEqual(told.map((trouble) => trouble instanceof StoreError), [true]);
  world.server.refuseSockets = world.server.refuseHttp = false;
  await world.clock.pass(5_000);
  assert.deepEqual(world.server.texts(chat), ['all the same']);
});
