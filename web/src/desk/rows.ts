/**
 * A list whose rows stay while what they say changes: neither a click nor the focus is lost to a clock that goes on. It must not know
 * what a row says.
 */

import { type Entry, keep } from '../page/dom.js';

export interface Row<Thing> {
  element: HTMLElement;
  /** Says how this stands now. */
  show(thing: Thing): void;
}

export class Rows<Thing> {
  private readonly rows = new Map<string, Row<Thing>>();

  constructor(
    private readonly list: HTMLElement,
    private readonly keyOf: (thing: Thing) => string,
    private readonly make: (thing: Thing) => Row<Thing>,
  ) {}

  /** Brings the list in step; `last` stands below the rows. */
  show(things: readonly Thing[], last: readonly Entry[] = []): void {
    const focused = document.activeElement;
    const entries = things.map((thing) => {
      const key = this.keyOf(thing);
      const row = this.rows.get(key) ?? this.make(thing);
      this.rows.set(key, row);
      row.show(thing);
      return { key, signature: '', make: () => row.element };
    });
    const there = new Set(entries.map(({ key }) => key));
    for (const key of this.rows.keys()) if (!there.has(key)) this.rows.delete(key);
    keep(this.list, [...entries, ...last]);
    // A row that went to another place of the list has lost the focus on its way.
    if (focused instanceof HTMLElement && focused !== document.activeElement && this.list.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }
}
