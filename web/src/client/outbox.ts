/**
 * Messages on their way: kept in the store until the server has acknowledged or refused them for good, sent in order within a chat
 * under the same id on every try. It must not know what a link is.
 */

import { pauseMs } from './backoff.js';
import type { Environment, Timer } from './environment.js';
import type { Ids } from './ids.js';
import type { Draft, NackFrame, SendFrame } from './protocol.js';
import { type KeyValueStore, StoreError } from './store.js';

/** A message that the server has not acknowledged. */
export interface OutgoingMessage {
  id: string;
  chat: string;
  draft: Draft;
  /** By the server's clock as far as it was known. */
  createdAt: number;
  state: 'waiting' | 'failed';
  /** Why it failed; codes of docs/API.md. */
  code: string | null;
}

interface Entry {
  /** Order of writing, also across restarts. */
  nth: number;
  message: OutgoingMessage;
  /** Given to the link, and not answered. */
  onItsWay: boolean;
  tries: number;
  /** Farewells for a broken frame while it was on its way. */
  broken: number;
  timer: Timer | null;
}

const PREFIX = 'outbox/';
/** A message that is not answered for so long makes one doubt the link. */
const DOUBT_AFTER_MS = 10_000;
/** And one that is not answered for so much longer is said again. */
const AGAIN_AFTER_MS = 5_000;
/** A message that broke the link so often is not said again. */
const BROKEN_MAX = 3;

export interface OutboxPort {
  environment: Environment;
  store: KeyValueStore;
  ids: Ids;
  now: () => number;
  /** Gives a message to the link; false when there is none. */
  send(frame: SendFrame): boolean;
  /** The link may be dead. */
  doubt(): void;
  /** Something about these messages is different. */
  changed(): void;
  /** The store could not keep or forget a message; it goes out all the same. */
  storeFailed(error: StoreError): void;
}

export class Outbox {
  private readonly entries = new Map<string, Entry>();
  private last = 0;
  private stored: Promise<void> = Promise.resolve();

  constructor(private readonly port: OutboxPort) {}

  /** Takes up what an earlier run has left. */
  async load(): Promise<void> {
    for (const key of await this.port.store.keys(PREFIX)) {
      const text = await this.port.store.get(key);
      if (text === null) continue;
      const { nth, message } = JSON.parse(text) as { nth: number; message: OutgoingMessage };
      if (!this.entries.has(message.id)) this.insert(nth, message);
    }
    this.port.changed();
  }

  /** Takes a message; when it returns, a restart would send it. */
  async add(chat: string, draft: Draft, id = this.port.ids.next()): Promise<OutgoingMessage> {
    const message: OutgoingMessage = { id, chat, draft, createdAt: this.port.now(), state: 'waiting', code: null };
    // Times order what several windows over one store have written.
    const entry = this.insert(Math.max(this.last + 1, this.port.environment.now()), message);
    this.port.changed();
    await this.keep(entry);
    this.pump();
    return message;
  }

  /** Every message on its way, in the order of writing. */
  list(): OutgoingMessage[] {
    return this.sorted().map((entry) => entry.message);
  }

  get(id: string): OutgoingMessage | null {
    return this.entries.get(id)?.message ?? null;
  }

  /** Sends what can be sent: of each chat the first message that waits. */
  pump(): void {
    const seen = new Set<string>();
    for (const entry of this.sorted()) {
      const { message } = entry;
      if (message.state === 'failed' || seen.has(message.chat)) continue;
      seen.add(message.chat);
      if (!entry.onItsWay && !entry.timer) this.send(entry);
    }
  }

  /** The link is gone, and with it the answers that were to come. */
  linkLost(bye: string | null): void {
    for (const entry of this.entries.values()) {
      if (entry.onItsWay && bye === 'bad_frame') entry.broken += 1;
      entry.onItsWay = false;
      entry.timer?.cancel();
      entry.timer = null;
      if (entry.broken >= BROKEN_MAX) this.fail(entry, 'bad_frame');
    }
  }

  /** The message is durable. */
  acknowledged(id: string): void {
    const entry = this.entries.get(id);
    if (!entry) return;
    this.remove(entry);
    this.pump();
  }

  /** The message was not taken. */
  refused(nack: NackFrame): void {
    const entry = this.entries.get(nack.id ?? '');
    if (!entry || entry.message.state === 'failed') return;
    entry.onItsWay = false;
    entry.timer?.cancel();
    entry.timer = null;
    if (nack.retry) {
      const pause = pauseMs(entry.tries - 1, this.port.environment.random());
      entry.timer = this.port.environment.after(pause, () => {
        entry.timer = null;
        this.pump();
      });
    } else {
      this.fail(entry, nack.code);
      this.pump();
    }
  }

  /** Returns when the store says what this outbox says. */
  settled(): Promise<void> {
    return this.stored;
  }

  /** Says a failed message again, as a new one. */
  async again(id: string): Promise<OutgoingMessage | null> {
    const entry = this.entries.get(id);
    if (entry?.message.state !== 'failed') return null;
    this.remove(entry);
    return this.add(entry.message.chat, entry.message.draft);
  }

  /** Forgets a failed message. */
  discard(id: string): void {
    const entry = this.entries.get(id);
    if (entry?.message.state === 'failed') this.remove(entry);
  }

  private send(entry: Entry): void {
    const { id, chat, draft } = entry.message;
    entry.onItsWay = this.port.send({ ...draft, t: 'send', id, chat });
    if (!entry.onItsWay) return;
    entry.tries += 1;
    const { environment } = this.port;
    entry.timer = environment.after(DOUBT_AFTER_MS, () => {
      entry.timer = environment.after(AGAIN_AFTER_MS, () => {
        entry.timer = null;
        entry.onItsWay = false;
        this.pump();
      });
      this.port.doubt();
    });
  }

  private insert(nth: number, message: OutgoingMessage): Entry {
    const entry: Entry = { nth, message, onItsWay: false, tries: 0, broken: 0, timer: null };
    this.last = Math.max(this.last, nth);
    this.entries.set(message.id, entry);
    return entry;
  }

  private fail(entry: Entry, code: string): void {
    entry.message = { ...entry.message, state: 'failed', code };
    void this.keep(entry);
    this.port.changed();
  }

  private remove(entry: Entry): void {
    entry.timer?.cancel();
    this.entries.delete(entry.message.id);
    void this.store(() => this.port.store.delete(PREFIX + entry.message.id));
    this.port.changed();
  }

  private keep(entry: Entry): Promise<void> {
    const { nth, message } = entry;
    return this.store(() => this.port.store.set(PREFIX + message.id, JSON.stringify({ nth, message })));
  }

  /** One after the other, so that what is forgotten was not kept a moment later. */
  private store(work: () => Promise<void>): Promise<void> {
    this.stored = this.stored.then(work).catch((error: unknown) => this.port.storeFailed(new StoreError(error)));
    return this.stored;
  }

  private sorted(): Entry[] {
    return [...this.entries.values()].sort((one, other) => one.nth - other.nth || (one.message.id < other.message.id ? -1 : 1));
  }
}
