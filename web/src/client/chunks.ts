/**
 * What robots write while they write it: their growing texts until the message is there, and a robot's own side of that.
 * Nothing of it is kept.
 */

import type { Environment, Timer } from './environment.js';
import type { ChunkFrame, Draft, Visibility } from './protocol.js';

/** A text that has not grown for so long is not waited for. */
const FORGET_AFTER_MS = 10_000;
/** Between two tellings of one's own; the server tells others not more often either. */
const TELL_EVERY_MS = 500;

/** A message to come, as far as it is written. */
export interface Growing {
  /** The id that the message will come under. */
  id: string;
  user: string;
  content: string;
}

export interface ChunksPort {
  environment: Environment;
  /** Whether the message to which this user gave this id is there already. */
  isThere(chat: string, user: string, id: string): boolean;
  changed(): void;
}

export class Chunks {
  private readonly chats = new Map<string, Map<string, { growing: Growing; forget: Timer }>>();

  constructor(private readonly port: ChunksPort) {}

  /** A robot has so much of its message. */
  heard({ chat, user, id, content }: ChunkFrame): void {
    this.forget(chat, user);
    // What was on its way when its message came says nothing any more.
    if (content !== '' && !this.port.isThere(chat, user, id)) {
      const forget = this.port.environment.after(FORGET_AFTER_MS, () => {
        this.forget(chat, user);
        this.port.changed();
      });
      const users = this.chats.get(chat) ?? new Map<string, { growing: Growing; forget: Timer }>();
      users.set(user, { growing: { id, user, content }, forget });
      this.chats.set(chat, users);
    }
    this.port.changed();
  }

  /** A message is there; what was shown of it before is not needed any more. */
  arrived(chat: string, user: string, id: string): void {
    if (this.chats.get(chat)?.get(user)?.growing.id === id) this.forget(chat, user);
  }

  in(chat: string): Growing[] {
    return [...(this.chats.get(chat)?.values() ?? [])].map(({ growing }) => growing);
  }

  /** The link is gone: nobody knows how it goes on. */
  clear(): void {
    for (const [chat, users] of this.chats) for (const user of [...users.keys()]) this.forget(chat, user);
  }

  private forget(chat: string, user: string): void {
    const users = this.chats.get(chat);
    users?.get(user)?.forget.cancel();
    users?.delete(user);
    if (users?.size === 0) this.chats.delete(chat);
  }
}

/** An answer was posted or given up already. */
export class AnswerOverError extends Error {
  constructor() {
    super('the answer was posted or given up already');
    this.name = 'AnswerOverError';
  }
}

export interface AnswerPort {
  environment: Environment;
  tell(content: string): void;
  post(draft: Draft): Promise<unknown>;
}

/** An answer that a robot writes: shown while it grows, and posted when it is whole. */
export class Answer {
  private toldAt = Number.NEGATIVE_INFINITY;
  private next: Timer | null = null;
  private content = '';
  private over = false;

  constructor(
    readonly id: string,
    private readonly port: AnswerPort,
    readonly visibility: Visibility = 'all',
  ) {}

  /** So much is written: the whole text so far. The latest is told, at most twice a second. */
  show(content: string): void {
    if (this.over) return;
    this.content = content;
    const wait = this.toldAt + TELL_EVERY_MS - this.port.environment.now();
    if (wait <= 0) this.tell();
    else this.next ??= this.port.environment.after(wait, () => this.tell());
  }

  /** It is whole: posts it, and nothing is shown of it any more. */
  async post(draft: Draft): Promise<void> {
    if (this.over) throw new AnswerOverError();
    this.end();
    try {
      await this.port.post({ ...draft, visibility: this.visibility });
    } catch (error) {
      // Not taken, for example because it is too long: another text can be, or none.
      this.over = false;
      throw error;
    }
  }

  /** There will be no such message. */
  giveUp(): void {
    if (this.over) return;
    this.end();
    if (this.content !== '') this.port.tell('');
  }

  private tell(): void {
    this.next = null;
    this.toldAt = this.port.environment.now();
    this.port.tell(this.content);
  }

  private end(): void {
    this.over = true;
    this.next?.cancel();
    this.next = null;
  }
}
