/** What a conversation's own route tells and the feed does not: from which page it came, and under which assignment it is served. */

import type { Client } from '../client/index.js';
import { speaker } from '../page/language.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);

interface Told {
  entry_page: 'product' | 'shop' | 'order' | 'logistics';
  entry_subject: string | null;
  assignment?: number | null;
}

export class Details {
  /** Null while it is asked for. */
  private readonly told = new Map<string, Told | null>();

  constructor(
    private readonly client: Client,
    private readonly changed: () => void,
  ) {}

  /** From which page the customer came; empty until it was read. */
  entryOf(conversation: string): string {
    const told = this.of(conversation);
    if (!told) return '';
    return say(`entry_${told.entry_page}`) + (told.entry_subject === null ? '' : ` ${told.entry_subject}`);
  }

  /** Under which assignment the conversation was served when it was read. */
  assignmentOf(conversation: string): number | null {
    return this.of(conversation)?.assignment ?? null;
  }

  /** Asked once for each conversation. */
  private of(conversation: string): Told | null {
    const known = this.told.get(conversation);
    if (known !== undefined) return known;
    this.told.set(conversation, null);
    this.client.api
      .in<Told>('GET', `conversations/${conversation}`)
      .then((told) => {
        this.told.set(conversation, told);
        this.changed();
      })
      .catch(() => this.told.delete(conversation));
    return null;
  }
}
