/**
 * What was written and refused for good, where no bubble shows it: the conversation went to somebody else while it was on its way.
 * It stays on the desk, with its text and whom it was for, until the agent discards it.
 */

import type { Client, OutgoingMessage } from '../client/index.js';
import { type Entry, h, keep } from '../page/dom.js';
import { speaker } from '../page/language.js';
import { notice } from '../page/notice.js';
import type { Kept } from './kept.js';
import { reasonOf } from './reasons.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
const NAME = 'addressees';

export interface RefusedPort {
  client: Client;
  list: HTMLElement;
  kept: Kept;
  /** What a chat is called; null when it is not known any more. */
  titleOf(chat: string): string | null;
}

export class Refused {
  /** What the chats are called in which something is on its way: they may be gone when it is refused. */
  private titles: Record<string, string>;

  constructor(private readonly port: RefusedPort) {
    this.titles = port.kept.read<Record<string, string>>(NAME) ?? {};
  }

  /** Brings the list in step; what failed in the chat that is looked at is told by its bubble. */
  update(shown: string | null): void {
    const { client, list } = this.port;
    const outgoing = client.outgoing();
    this.remember(outgoing);
    const failed = outgoing.filter((message) => message.state === 'failed' && message.chat !== shown);
    list.hidden = failed.length === 0;
    keep(list, failed.map((message) => this.entry(message)));
  }

  private remember(outgoing: readonly OutgoingMessage[]): void {
    const titles: Record<string, string> = {};
    for (const { chat } of outgoing) {
      const title = this.port.titleOf(chat) ?? this.titles[chat];
      if (title !== undefined) titles[chat] = title;
    }
    if (JSON.stringify(titles) === JSON.stringify(this.titles)) return;
    this.titles = titles;
    this.port.kept.write(NAME, titles);
  }

  private entry({ id, chat, draft, code }: OutgoingMessage): Entry {
    const { client } = this.port;
    const name = this.titles[chat] ?? say('somebody');
    const words = say(draft.visibility === 'staff' ? 'refused_note' : 'refused_message', { name, reason: reasonOf(code ?? '') });
    const make = () =>
      h(
        'li',
        {},
        h('div', { class: 'grow' }, h('div', {}, words), h('blockquote', {}, draft.content)),
        h('button', { type: 'button', click: () => void copy(draft.content) }, say('copy')),
        h('button', { type: 'button', click: () => client.discard(id) }, say('discard')),
      );
    return { key: id, signature: words, make };
  }
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages that did not come by TLS have no clipboard; a selection can be copied everywhere.
    const box = h('textarea', { readonly: true });
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand('copy');
    box.remove();
  }
  notice(say('copied'));
}
