/**
 * The cursor of the feed: takes items in whatever order they come, passes over what is known, keeps aside what is beyond a gap, and
 * says which range is missing. It must not know what an item says.
 */

import type { Item } from './protocol.js';

/** Items kept beyond a gap; what does not fit is asked for again later. */
const ASIDE_MAX = 4_096;
/** Most items of one range. */
export const RANGE_MAX = 1_000;

export class FeedCursor {
  private readonly aside = new Map<number, Item>();
  private newest: number;

  constructor(private reached: number) {
    this.newest = reached;
  }

  /** Everything up to here was applied. */
  get index(): number {
    return this.reached;
  }

  /** The newest index that is known of, applied or not. */
  get known(): number {
    return this.newest;
  }

  /** Takes an item; answers those that can be applied now, in order. */
  take(item: Item): Item[] {
    if (item.i <= this.reached) return [];
    this.newest = Math.max(this.newest, item.i);
    if (item.i > this.reached + 1) {
      if (this.aside.size < ASIDE_MAX) this.aside.set(item.i, item);
      return [];
    }
    const ready = [item];
    this.reached = item.i;
    for (let next = this.aside.get(this.reached + 1); next; next = this.aside.get(this.reached + 1)) {
      this.aside.delete(next.i);
      ready.push(next);
      this.reached = next.i;
    }
    return ready;
  }

  /** Whether something came that lies beyond a gap. */
  get jumped(): boolean {
    return this.aside.size > 0;
  }

  /** The feed is known to reach up to here, although nothing of it came yet. */
  expect(head: number): void {
    this.newest = Math.max(this.newest, head);
  }

  /** What is missing before anything else can be applied: the items after `after`, up to `to`. */
  missing(): { after: number; to: number } | null {
    if (this.newest <= this.reached) return null;
    const last = Math.min(this.reached + RANGE_MAX, this.newest);
    let to = this.reached + 1;
    while (to < last && !this.aside.has(to + 1)) to += 1;
    return { after: this.reached, to };
  }

  /** Begins anew, for example because the server's feed is another one than before. */
  restart(index: number): void {
    this.aside.clear();
    this.reached = index;
    this.newest = index;
  }
}
