/**
 * Where a client keeps what must survive a restart: the outbox, the sign-in, and for an app its state.
 * One key per thing, so that two windows over one store never write over each other's messages.
 */

export interface KeyValueStore {
  get(key: string): Promise<string | null>;
  /** Keeps the value; when it returns, a restart finds it. */
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  keys(prefix: string): Promise<string[]>;
}

/** A store could not keep or forget something; what it holds may not be what a restart needs. */
export class StoreError extends Error {
  constructor(cause: unknown) {
    super('the store failed', { cause });
    this.name = 'StoreError';
  }
}

/** Forgets everything with the process. */
export class MemoryStore implements KeyValueStore {
  private readonly values = new Map<string, string>();

  async get(key: string): Promise<string | null> {
    return this.values.get(key) ?? null;
  }
  async set(key: string, value: string): Promise<void> {
    this.values.set(key, value);
  }
  async delete(key: string): Promise<void> {
    this.values.delete(key);
  }
  async keys(prefix: string): Promise<string[]> {
    return [...this.values.keys()].filter((key) => key.startsWith(prefix)).sort();
  }
}

/** The storage of a browser: `localStorage`, or `sessionStorage` for one window only. */
export class BrowserStore implements KeyValueStore {
  constructor(
    private readonly storage: Storage,
    /** Put before every key: the page's own corner of its origin. */
    private readonly prefix: string,
  ) {}

  async get(key: string): Promise<string | null> {
    return this.storage.getItem(this.prefix + key);
  }
  async set(key: string, value: string): Promise<void> {
    this.storage.setItem(this.prefix + key, value);
  }
  async delete(key: string): Promise<void> {
    this.storage.removeItem(this.prefix + key);
  }
  async keys(prefix: string): Promise<string[]> {
    const whole = this.prefix + prefix;
    const found: string[] = [];
    for (let nth = 0; nth < this.storage.length; nth += 1) {
      const key = this.storage.key(nth);
      if (key?.startsWith(whole)) found.push(key.slice(this.prefix.length));
    }
    return found.sort();
  }
}
