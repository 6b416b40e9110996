/** Mints ids: UUIDs of version 7, as 32 hexadecimal digits, increasing within one client. */

import type { Environment } from './environment.js';

const COUNTER_MAX = 0xfff;

export class Ids {
  private lastMs = 0;
  private counter = 0;

  constructor(
    private readonly environment: Environment,
    /** The server's clock as far as it is known: an id that seems old is not accepted. */
    private readonly now: () => number,
  ) {}

  /** A new id, larger than every one before. */
  next(): string {
    const now = Math.max(0, Math.floor(this.now()));
    if (now > this.lastMs) {
      this.lastMs = now;
      this.counter = 0;
    } else if (this.counter < COUNTER_MAX) {
      this.counter += 1;
    } else {
      this.lastMs += 1;
      this.counter = 0;
    }
    const tail = this.environment.randomBytes(8);
    tail[0] = ((tail[0] ?? 0) & 0x3f) | 0x80;
    return hex(this.lastMs, 12) + '7' + hex(this.counter, 3) + [...tail].map((byte) => hex(byte, 2)).join('');
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
