/**
 * A store in a browser's IndexedDB: written aside, without a limit that a long outbox meets, and seen by every window of the origin.
 * Where there is none, or it refuses (some private windows), the store that was there before serves on.
 */

import type { KeyValueStore } from './store.js';

const VALUES = 'values';
/** A browser that does not answer for so long is not waited for: the page has to begin. */
const OPEN_WITHIN_MS = 3_000;
/** What of an older store moves here; a sign-in stays where it is. */
const MOVED = ['outbox/', 'state'];

export class IndexedStore implements KeyValueStore {
  private constructor(
    private readonly factory: IDBFactory,
    private readonly name: string,
    private database: IDBDatabase | null,
  ) {}

  /** Opens the store of this name, or throws. */
  static async open(factory: IDBFactory, name: string): Promise<IndexedStore> {
    const store = new IndexedStore(factory, name, null);
    await store.opened();
    return store;
  }

  async get(key: string): Promise<string | null> {
    const value: unknown = await this.within('readonly', (values) => values.get(key));
    return typeof value === 'string' ? value : null;
  }
  async set(key: string, value: string): Promise<void> {
    await this.within('readwrite', (values) => values.put(value, key));
  }
  async delete(key: string): Promise<void> {
    await this.within('readwrite', (values) => values.delete(key));
  }
  async keys(prefix: string): Promise<string[]> {
    // Every text that begins so lies from the prefix on, and they lie side by side.
    const keys = await this.within('readonly', (values) => values.getAllKeys(IDBKeyRange.lowerBound(prefix)));
    return keys.filter((key): key is string => typeof key === 'string' && key.startsWith(prefix));
  }

  /** Works on the values; returns when the browser has them. */
  private async within<Answer>(mode: IDBTransactionMode, work: (values: IDBObjectStore) => IDBRequest<Answer>): Promise<Answer> {
    let transaction: IDBTransaction;
    try {
      transaction = (await this.opened()).transaction(VALUES, mode);
    } catch {
      // The browser closed it meanwhile, as it may.
      this.database = null;
      transaction = (await this.opened()).transaction(VALUES, mode);
    }
    return new Promise((resolve, reject) => {
      const request = work(transaction.objectStore(VALUES));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? new Error('the browser gave the change up'));
    });
  }

  private async opened(): Promise<IDBDatabase> {
    if (this.database) return this.database;
    const opening = this.factory.open(this.name, 1);
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      opening.onupgradeneeded = () => opening.result.createObjectStore(VALUES);
      opening.onsuccess = () => resolve(opening.result);
      opening.onerror = () => reject(opening.error ?? new Error('the browser has no store for us'));
      opening.onblocked = () => reject(new Error('another window holds an older store'));
    });
    // Whoever deletes the store does not have to wait for this window.
    database.onversionchange = () => database.close();
    return (this.database = database);
  }
}

/**
 * The best store that this browser has: IndexedDB under this name, otherwise `fallback`. What an older page has left in the fallback
 * moves along.
 */
export async function openBrowserStore(
  name: string,
  fallback: KeyValueStore,
  factory: () => IDBFactory | undefined = () => globalThis.indexedDB,
): Promise<KeyValueStore> {
  try {
    // Where storage is forbidden even the question throws.
    const there = factory();
    if (there === undefined) return fallback;
    const store = await inTime(IndexedStore.open(there, name));
    for (const prefix of MOVED) {
      for (const key of await fallback.keys(prefix)) {
        const value = await fallback.get(key);
        if (value !== null && (await store.get(key)) === null) await store.set(key, value);
        await fallback.delete(key);
      }
    }
    return store;
  } catch {
    return fallback;
  }
}

function inTime<Value>(work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the browser did not answer')), OPEN_WITHIN_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
