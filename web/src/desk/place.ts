/** Which chat is open, as the window knows it: a reload opens it again, and the browser's Back leads from it to the list. */

import type { Kept } from './kept.js';

const NAME = 'open';

export class Place {
  constructor(
    private readonly kept: Kept,
    /** Shows a chat, or the list alone. */
    private readonly turn: (chat: string | null) => void,
  ) {
    window.addEventListener('popstate', (event) => this.turn(chatIn(event.state)));
  }

  /** The chat that was open before the page was loaded anew. */
  before(): string | null {
    return this.kept.read<string>(NAME);
  }

  /** A chat was opened, or none is open any more. */
  turned(chat: string | null): void {
    this.kept.write(NAME, chat);
    if (chat === null || chatIn(history.state) === chat) return;
    // From whichever chat it is one step back to the list.
    if (chatIn(history.state) === null) history.pushState({ chat }, '');
    else history.replaceState({ chat }, '');
  }

  /** Leaves the open chat, as the browser's Back does. */
  back(): void {
    if (chatIn(history.state) === null) this.turn(null);
    else history.back();
  }
}

function chatIn(state: unknown): string | null {
  return typeof state === 'object' && state !== null && 'chat' in state && typeof state.chat === 'string' ? state.chat : null;
}
