/** Who is writing: tells the others about oneself not more often than needed, and forgets others who fell silent. */

import type { Environment, Timer } from './environment.js';

/** Told again while one goes on writing. */
const TELL_EVERY_MS = 5_000;
/** Without a key for so long one has stopped. */
const STOPPED_AFTER_MS = 6_000;
/** Others who were not told of again for so long have stopped. */
const FORGET_AFTER_MS = 10_000;

export interface TypingPort {
  environment: Environment;
  tell(chat: string, on: boolean): void;
  changed(): void;
}

export class Typing {
  private readonly own = new Map<string, { toldAt: number; stop: Timer }>();
  private readonly others = new Map<string, Map<string, Timer>>();

  constructor(private readonly port: TypingPort) {}

  /** A key was pressed. */
  pressed(chat: string): void {
    const { environment } = this.port;
    const before = this.own.get(chat);
    before?.stop.cancel();
    let toldAt = before?.toldAt ?? Number.NEGATIVE_INFINITY;
    if (environment.now() - toldAt >= TELL_EVERY_MS) {
      toldAt = environment.now();
      this.port.tell(chat, true);
    }
    this.own.set(chat, { toldAt, stop: environment.after(STOPPED_AFTER_MS, () => this.stopped(chat)) });
  }

  /** What was being written is sent or given up. */
  stopped(chat: string): void {
    const before = this.own.get(chat);
    if (!before) return;
    before.stop.cancel();
    this.own.delete(chat);
    this.port.tell(chat, false);
  }

  /** The server says that somebody writes, or has stopped. */
  heard(chat: string, user: string, on: boolean): void {
    const users = this.others.get(chat) ?? new Map<string, Timer>();
    this.others.set(chat, users);
    users.get(user)?.cancel();
    const was = users.delete(user);
    if (on) users.set(user, this.port.environment.after(FORGET_AFTER_MS, () => this.heard(chat, user, false)));
    if (was !== on) this.port.changed();
  }

  /** Who writes in a chat right now; the empty text stands for somebody whose name is not told. */
  in(chat: string): string[] {
    return [...(this.others.get(chat)?.keys() ?? [])];
  }

  /** The link is gone: nobody is known to write. */
  clear(): void {
    for (const { stop } of this.own.values()) stop.cancel();
    this.own.clear();
    for (const users of this.others.values()) for (const timer of users.values()) timer.cancel();
    this.others.clear();
  }
}
