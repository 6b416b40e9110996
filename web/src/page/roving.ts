/**
 * A list as one stop of the Tab key: arrows up and down go from line to line, right and left through what can be pressed in one.
 * It must not know what the lines say.
 */

const PRESSABLE = 'button, a[href]';

export class Roving {
  private current: HTMLElement | null = null;
  /** Where it was in the list, for when it is gone. */
  private nth = 0;
  private inside = false;

  constructor(private readonly list: HTMLElement) {
    list.addEventListener('keydown', (event) => this.key(event));
    list.addEventListener('focusin', (event) => {
      this.inside = true;
      const line = this.lineOf(event.target);
      if (line) this.stopAt(line);
    });
    // What is taken out of the page while it has the focus tells of no other place to which the focus goes.
    list.addEventListener('focusout', (event) => {
      if (event.target instanceof Element && event.target.isConnected) this.inside = false;
    });
  }

  /** The lines are others: still one of them is the stop, the newest unless somebody is in the list. */
  tidy(): void {
    const lines = this.lines();
    for (const pressable of this.list.querySelectorAll<HTMLElement>(PRESSABLE)) pressable.tabIndex = -1;
    for (const line of lines) line.tabIndex = -1;
    this.list.tabIndex = lines.length === 0 ? 0 : -1;
    const lost = this.inside && !this.list.contains(document.activeElement);
    const at = this.inside ? (this.current && lines.includes(this.current) ? this.current : lines[Math.min(this.nth, lines.length - 1)]) : lines.at(-1);
    if (at) this.stopAt(at);
    if (at && lost && document.activeElement === document.body) at.focus({ preventScroll: true });
  }

  private lines(): HTMLElement[] {
    const lines = [...this.list.children].filter((child): child is HTMLElement => child instanceof HTMLElement);
    return lines.filter((line) => line.classList.contains('bubble') || line.querySelector(PRESSABLE) !== null);
  }

  private stopAt(line: HTMLElement): void {
    if (this.current) this.current.tabIndex = -1;
    this.current = line;
    this.nth = this.lines().indexOf(line);
    line.tabIndex = 0;
  }

  private lineOf(target: EventTarget | null): HTMLElement | null {
    return this.lines().find((line) => target instanceof Node && line.contains(target)) ?? null;
  }

  private key(event: KeyboardEvent): void {
    const line = this.lineOf(event.target);
    if (!line || event.ctrlKey || event.altKey || event.metaKey) return;
    const to = this.next(event.key, line, event.target);
    if (!to) return;
    event.preventDefault();
    to.focus();
  }

  private next(key: string, line: HTMLElement, from: EventTarget | null): HTMLElement | undefined {
    const lines = this.lines();
    const within = [line, ...line.querySelectorAll<HTMLElement>(PRESSABLE)];
    const place = within.findIndex((element) => element === from);
    switch (key) {
      case 'ArrowUp':
        return lines[Math.max(0, lines.indexOf(line) - 1)];
      case 'ArrowDown':
        return lines[Math.min(lines.length - 1, lines.indexOf(line) + 1)];
      case 'Home':
        return lines[0];
      case 'End':
        return lines.at(-1);
      case 'ArrowRight':
        return within[Math.min(within.length - 1, place + 1)];
      case 'ArrowLeft':
        return within[Math.max(0, place - 1)];
      case 'Escape':
        return line;
      default:
        return undefined;
    }
  }
}
