/** What a robot would answer: whoever serves asks for it, takes one, changes it if need be, and sends it as their own. */

import type { Client } from '../client/index.js';
import { byId, h } from '../page/dom.js';
import { speaker } from '../page/language.js';
import { notice } from '../page/notice.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);

export class Suggestions {
  private readonly list = byId('suggestions', HTMLElement);
  private shownFor: string | null = null;

  constructor(
    private readonly client: Client,
    private readonly take: (text: string, suggestion: string) => void,
  ) {}

  /** Shows what is suggested in a conversation, unless another one is looked at when the answer comes. */
  async ask(conversation: string): Promise<void> {
    this.turnTo(null);
    this.shownFor = conversation;
    const { suggestion, answers } = await this.client.api.suggest(conversation);
    if (this.shownFor !== conversation) return;
    if (answers.length === 0) notice(say('no_suggestion'));
    const choose = (text: string) => () => {
      this.turnTo(null);
      this.take(text, suggestion);
    };
    const lines = answers.map(({ text, confidence }) =>
      h('li', {}, h('button', { type: 'button', click: choose(text) }, say('suggested', { text, percent: confidence }))),
    );
    this.list.replaceChildren(...lines);
    this.list.hidden = lines.length === 0;
  }

  /** Another conversation is looked at, or none: what was suggested is not for it. */
  turnTo(conversation: string | null): void {
    if (conversation !== null && conversation === this.shownFor) return;
    this.shownFor = null;
    this.list.hidden = true;
    this.list.replaceChildren();
  }
}
