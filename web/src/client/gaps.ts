/** Asks for the items that a cursor misses, one range at a time, until it misses none. */

import type { Environment, Timer } from './environment.js';
import type { FeedCursor } from './feed.js';
import type { ClientFrame } from './protocol.js';

/** A range that has not come after so long is asked for again. */
const AGAIN_MS = 5_000;

export interface GapsPort {
  environment: Environment;
  feed: FeedCursor;
  send(frame: ClientFrame): boolean;
}

export class Gaps {
  /** The end of the range that was asked for. */
  private asked: number | null = null;
  private again: Timer | null = null;

  constructor(private readonly port: GapsPort) {}

  /** A new link: whatever the old one was asked for does not come. */
  linkUp(): void {
    this.stop();
    this.check();
  }

  /** The cursor may have moved. */
  check(): void {
    const missing = this.port.feed.missing();
    if (!missing) {
      this.stop();
      return;
    }
    if (this.asked !== null && this.port.feed.index < this.asked) return;
    this.stop();
    if (!this.port.send({ t: 'range', ...missing })) return;
    this.asked = missing.to;
    this.plan();
  }

  /** The server did not answer the range; another try later. */
  refused(): void {
    if (this.asked !== null) this.plan();
  }

  stop(): void {
    this.asked = null;
    this.again?.cancel();
    this.again = null;
  }

  private plan(): void {
    this.again?.cancel();
    this.again = this.port.environment.after(AGAIN_MS, () => {
      this.stop();
      this.check();
    });
  }
}
