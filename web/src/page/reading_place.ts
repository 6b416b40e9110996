/**
 * Where somebody reads in a list of messages: at its end, which is followed, or further up, where the line that they read stays where it
 * is whatever comes above or below. It must not know what a message is, but for the place that its element bears (`data-seq`).
 */

import { h } from './dom.js';

/** Who is so near the newest message wants to see the next one. */
const NEAR_END_PX = 80;
/** So much of a message must be in sight for it to be seen. */
const SEEN_PX = 24;

export class ReadingPlace {
  /** Whether the newest message is in sight and shall stay so. */
  private atEnd = true;
  /** The first line in sight, and how far below the upper edge it stands. */
  private line: { key: string; top: number } | null = null;
  private readonly newer: HTMLButtonElement;
  /** Where the end was put last: who is above it has scrolled a moment ago. */
  private putAt = 0;

  constructor(
    private readonly list: HTMLElement,
    newer: string,
    /** Something else is in sight. */
    private readonly looked: () => void,
  ) {
    this.newer = h('button', { type: 'button', class: 'strong newer', hidden: true, click: () => this.follow() }, newer);
    list.after(h('div', { class: 'below' }, this.newer));
    list.addEventListener('scroll', () => this.scrolled());
    // A picture that has come makes its bubble higher. The event does not rise, so it is caught on its way down.
    list.addEventListener('load', () => this.hold(), true);
    new ResizeObserver(() => this.hold()).observe(list);
  }

  /** Goes to the end, and stays there. */
  follow(): void {
    this.atEnd = true;
    this.putAt = 0;
    this.hold();
    this.looked();
  }

  /** Something new is at the end; whoever is not there is told. */
  news(): void {
    this.newer.hidden = this.atEnd;
  }

  /** The list is otherwise: what was read stays in its place. */
  hold(): void {
    const { list, line } = this;
    if (this.atEnd && list.scrollTop < this.putAt - NEAR_END_PX && !this.nearEnd()) this.atEnd = false;
    if (this.atEnd) {
      list.scrollTop = list.scrollHeight;
      this.putAt = list.scrollTop;
      this.newer.hidden = true;
    } else if (line) {
      const element = [...list.children].find((child) => child instanceof HTMLElement && child.dataset['key'] === line.key);
      if (element) list.scrollTop += this.topOf(element) - line.top;
    }
    this.remember();
  }

  /** The last place that is or was in sight, when the list ends with `last`. */
  seen(last: number): number {
    const { list } = this;
    if (list.clientHeight === 0) return 0;
    if (this.atEnd) return last;
    for (let element = list.lastElementChild; element; element = element.previousElementSibling) {
      const seq = element instanceof HTMLElement ? Number(element.dataset['seq'] ?? 0) : 0;
      if (seq > 0 && this.topOf(element) + SEEN_PX <= list.clientHeight) return seq;
    }
    return 0;
  }

  private scrolled(): void {
    this.atEnd = this.nearEnd();
    if (this.atEnd) this.newer.hidden = true;
    this.remember();
    this.looked();
  }

  private nearEnd(): boolean {
    const { list } = this;
    return list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX;
  }

  private remember(): void {
    const inSight = (child: Element) => child instanceof HTMLElement && child.dataset['seq'] !== undefined && this.bottomOf(child) > 0;
    const first = this.atEnd ? undefined : [...this.list.children].find(inSight);
    this.line = first instanceof HTMLElement ? { key: first.dataset['key'] ?? '', top: this.topOf(first) } : null;
  }

  private topOf(element: Element): number {
    return element.getBoundingClientRect().top - this.list.getBoundingClientRect().top;
  }

  private bottomOf(element: Element): number {
    return element.getBoundingClientRect().bottom - this.list.getBoundingClientRect().top;
  }
}
