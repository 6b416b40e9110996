/** What this device tells of what has arrived and what was read: told again on a new link, and not more often than needed. */

import type { Again } from './again.js';
import type { Environment, Timer } from './environment.js';
import type { ClientFrame, NackFrame, ReadItem } from './protocol.js';

/** Between two `receive`. */
const RECEIVE_EVERY_MS = 500;

export interface ReceiptsPort {
  environment: Environment;
  again: Again;
  cursor(): number;
  send(frame: ClientFrame): boolean;
}

export class Receipts {
  /** Places that are read and that the feed does not show as read yet. */
  private readonly wanted = new Map<string, number>();
  private received = 0;
  private timer: Timer | null = null;

  constructor(private readonly port: ReceiptsPort) {}

  /** Somebody has read a chat up to a place. */
  read(chat: string, seq: number): void {
    if (seq <= (this.wanted.get(chat) ?? 0)) return;
    this.wanted.set(chat, seq);
    this.say(chat);
  }

  /** The feed shows that it is read. */
  shown(item: ReadItem): void {
    if ((this.wanted.get(item.chat) ?? 0) <= item.up_to_seq) this.forget(item.chat);
  }

  /** The server does not take it, at least not now. */
  refused(chat: string, { retry }: NackFrame): void {
    if (retry) this.port.again.later(`read/${chat}`, () => this.say(chat));
    else this.forget(chat);
  }

  /** The cursor has moved. */
  arrived(): void {
    this.timer ??= this.port.environment.after(RECEIVE_EVERY_MS, () => {
      this.timer = null;
      const i = this.port.cursor();
      if (i > this.received && this.port.send({ t: 'receive', i })) this.received = i;
    });
  }

  linkUp(): void {
    // A feed that was begun anew is received anew.
    this.received = Math.min(this.received, this.port.cursor());
    for (const chat of this.wanted.keys()) this.say(chat);
  }

  linkLost(): void {
    this.timer?.cancel();
    this.timer = null;
  }

  private say(chat: string): void {
    const seq = this.wanted.get(chat);
    if (seq !== undefined) this.port.send({ t: 'read', chat, seq });
  }

  private forget(chat: string): void {
    this.wanted.delete(chat);
    this.port.again.done(`read/${chat}`);
  }
}
