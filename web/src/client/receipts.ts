/** What this device tells of what has arrived and what was read: told again on a new link, and not more often than needed. */

import type { Environment, Timer } from './environment.js';
import type { ClientFrame, ReadItem } from './protocol.js';

/** Between two `receive`. */
const RECEIVE_EVERY_MS = 500;

export interface ReceiptsPort {
  environment: Environment;
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
    this.port.send({ t: 'read', chat, seq });
  }

  /** The feed shows that it is read. */
  shown(item: ReadItem): void {
    if ((this.wanted.get(item.chat) ?? 0) <= item.up_to_seq) this.wanted.delete(item.chat);
  }

  /** The server does not take it. */
  refused(chat: string): void {
    this.wanted.delete(chat);
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
    for (const [chat, seq] of this.wanted) this.port.send({ t: 'read', chat, seq });
  }

  linkLost(): void {
    this.timer?.cancel();
    this.timer = null;
  }
}
