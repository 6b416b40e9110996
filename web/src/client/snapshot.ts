/** The state of an app between two runs: cursor and state in one value, so that neither is ever ahead of the other. */

import type { Environment, Timer } from './environment.js';
import { type Chat, type State, emptyState } from './state.js';
import { type KeyValueStore, StoreError } from './store.js';

const KEY = 'state';
/** Changes with the shape of what is kept; another shape is passed over, and the feed is read anew. */
const VERSION = 1;
/** Messages kept of each chat; older ones are read from the chat again. */
const MESSAGES_MAX = 200;
/** Between two writings. What came since is in the feed, so nothing is lost with it. */
const SAVE_EVERY_MS = 500;

interface Kept {
  version: number;
  me: string;
  cursor: number;
  chats: Record<string, Chat>;
}

export interface SnapshotPort {
  environment: Environment;
  store: KeyValueStore;
  now(): { cursor: number; state: State };
  failed(error: StoreError): void;
}

export class Snapshots {
  private timer: Timer | null = null;
  private saving: Promise<void> = Promise.resolve();

  constructor(private readonly port: SnapshotPort) {}

  /** What an earlier run has kept for this user. */
  async read(me: string): Promise<{ cursor: number; state: State } | null> {
    const text = await this.port.store.get(KEY);
    if (text === null) return null;
    const kept = JSON.parse(text) as Kept;
    if (kept.version !== VERSION || kept.me !== me) return null;
    return { cursor: kept.cursor, state: { ...emptyState(me), chats: kept.chats } };
  }

  /** Writes the state soon. */
  plan(): void {
    this.timer ??= this.port.environment.after(SAVE_EVERY_MS, () => this.save());
  }

  /** Writes what was planned, and returns when it is written. */
  async finish(): Promise<void> {
    if (this.timer) this.save();
    await this.saving;
  }

  private save(): void {
    this.timer?.cancel();
    this.timer = null;
    const { cursor, state } = this.port.now();
    const chats = Object.fromEntries(Object.values(state.chats).map((chat) => [chat.id, shortened(chat)]));
    const text = JSON.stringify({ version: VERSION, me: state.me, cursor, chats } satisfies Kept);
    this.saving = this.saving.then(() => this.port.store.set(KEY, text)).catch((error: unknown) => this.port.failed(new StoreError(error)));
  }
}

function shortened(chat: Chat): Chat {
  const messages = chat.messages.slice(-MESSAGES_MAX);
  const first = messages[0];
  if (messages.length === chat.messages.length || !first || chat.loadedFrom === null) return { ...chat, messages };
  return { ...chat, messages, loadedFrom: Math.max(chat.loadedFrom, first.seq) };
}
