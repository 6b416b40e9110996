/** Asks for the items that a cursor misses and that do not come by themselves, one range at a time, until it misses none. */

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
  /** A new link sends what it was connected after, without being asked. */
  private promised = false;
  /** Where the cursor was when the wait began. */
  private waitedFrom = 0;
  private again: Timer | null = null;

  constructor(private readonly port: GapsPort) {}

  /** A new link: whatever the old one was asked for does not come, and what is missing is on its way. */
  linkUp(): void {
    this.stop();
    if (!this.port.feed.missing()) return;
    this.promised = true;
    this.plan();
  }

  /** The cursor may have moved. */
  check(): void {
    const missing = this.port.feed.missing();
    if (!missing) {
      this.stop();
      return;
    }
    if (this.promised && !this.port.feed.jumped) return;
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
    this.promised = false;
    this.again?.cancel();
    this.again = null;
  }

  private plan(): void {
    this.again?.cancel();
    this.waitedFrom = this.port.feed.index;
    this.again = this.port.environment.after(AGAIN_MS, () => {
      // A long backlog that still comes is not asked for as well.
      if (this.promised && this.port.feed.index > this.waitedFrom) return this.plan();
      this.stop();
      this.check();
    });
  }
}
