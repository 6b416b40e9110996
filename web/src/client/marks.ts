/** Recalling and hiding: said until the feed shows that it is done, or the server refuses. */

import type { Again } from './again.js';
import type { Environment, Timer } from './environment.js';
import { ApiError, NetworkError } from './http.js';
import type { ClientFrame, NackFrame } from './protocol.js';

/** An order that nobody answers for so long is given up. */
const GIVE_UP_MS = 30_000;

type Kind = 'recall' | 'hide';

interface Pending {
  frame: { t: Kind; chat: string; message: string };
  done: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
  giveUp: Timer;
}

export interface MarksPort {
  environment: Environment;
  again: Again;
  send(frame: ClientFrame): boolean;
}

export class Marks {
  private readonly pending = new Map<string, Pending>();

  constructor(private readonly port: MarksPort) {}

  /** Gives the order; returns when it is done everywhere. */
  order(kind: Kind, chat: string, message: string): Promise<void> {
    const key = `${kind}/${message}`;
    const before = this.pending.get(key);
    if (before) return before.done;
    let resolve!: () => void;
    let reject!: (error: Error) => void;
    const done = new Promise<void>((onDone, onRefused) => {
      resolve = onDone;
      reject = onRefused;
    });
    const giveUp = this.port.environment.after(GIVE_UP_MS, () => this.settle(key)?.reject(new NetworkError('no answer in time')));
    const frame = { t: kind, chat, message };
    this.pending.set(key, { frame, done, resolve, reject, giveUp });
    this.port.send(frame);
    return done;
  }

  /** A new link: says again what is still open. */
  linkUp(): void {
    for (const { frame } of this.pending.values()) this.port.send(frame);
  }

  /** The feed shows it. */
  done(item: 'recalled' | 'hidden', message: string): void {
    this.settle(`${item === 'recalled' ? 'recall' : 'hide'}/${message}`)?.resolve();
  }

  /** The server does not do it, at least not now. A refusal does not say of which of the two it speaks. */
  refused(nack: NackFrame): void {
    for (const kind of ['recall', 'hide'] as const) {
      const key = `${kind}/${nack.message}`;
      const pending = this.pending.get(key);
      if (!pending) continue;
      if (nack.retry) this.port.again.later(key, () => this.port.send(pending.frame));
      else this.settle(key)?.reject(new ApiError(409, nack.code, nack.detail));
      return;
    }
  }

  /** Nobody waits any more. */
  stop(): void {
    for (const key of [...this.pending.keys()]) this.settle(key)?.reject(new NetworkError('the client was stopped'));
  }

  private settle(key: string): Pending | null {
    const pending = this.pending.get(key) ?? null;
    pending?.giveUp.cancel();
    this.port.again.done(key);
    this.pending.delete(key);
    return pending;
  }
}
