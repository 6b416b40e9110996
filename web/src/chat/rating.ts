/** The rating: offered when an agent asks for it, after the end, and whenever the customer wants to rate who serves them. */

import type { Chat, Client, Rating } from '../client/index.js';
import { h } from '../page/dom.js';
import { speaker } from '../page/language.js';
import { notice, trouble } from '../page/notice.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
const SCORES = [1, 2, 3, 4, 5] as const;

export class RatingForm {
  private conversation: string | null = null;
  /** What the customer did not want to rate, or has rated here. */
  private readonly done = new Set<string>();
  /** What the customer wants to rate without being asked. */
  private wanted: string | null = null;
  /** The conversation whose tags are shown, or are being asked for. */
  private tagsOf: string | null = null;
  private readonly tags = h('fieldset', { class: 'tags', hidden: true });

  constructor(
    private readonly client: Client,
    private readonly form: HTMLFormElement,
    private readonly button: HTMLButtonElement,
    /** Under which the browser keeps what shall be rated later, if at all. */
    private readonly laterKey: string,
  ) {
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.send().catch(trouble);
    });
    button.addEventListener('click', () => {
      this.wanted = this.conversation;
      if (this.conversation !== null) this.done.delete(this.conversation);
      this.form.hidden = false;
    });
    this.draw();
  }

  update(chat: Chat | null): void {
    const conversation = chat?.conversation ?? null;
    if (conversation?.id !== this.conversation) this.form.reset();
    this.conversation = conversation?.id ?? null;
    const ratable = conversation !== null && conversation.agent !== null && conversation.score === null;
    const asked = ratable && (conversation.status === 'closed' || this.client.state.invited[conversation.id] === true);
    const putOff = conversation !== null && localStorage.getItem(this.laterKey) === conversation.id && this.wanted !== conversation.id;
    const open = ratable && !putOff && !this.done.has(conversation.id) && (asked || this.wanted === conversation.id);
    this.form.hidden = !open;
    this.button.hidden = !ratable || open;
    if (open && this.tagsOf !== conversation.id) void this.askForTags(conversation.id);
  }

  /** The shop's flow says which tags may be chosen; without any there is nothing to choose. */
  private async askForTags(conversation: string): Promise<void> {
    this.tagsOf = conversation;
    // Whoever cannot be asked offers nothing: the rating is as good without.
    const tags = await this.client.api.ratingTags(conversation).catch(() => []);
    if (this.tagsOf !== conversation) return;
    const choice = (tag: string) => h('label', {}, h('input', { type: 'checkbox', name: 'tag', value: tag }), tag.replaceAll('_', ' '));
    this.tags.replaceChildren(h('legend', {}, say('rate_tags')), ...tags.map(choice));
    this.tags.hidden = tags.length === 0;
  }

  private async send(): Promise<void> {
    const { conversation } = this;
    const given = new FormData(this.form);
    const score = Number(given.get('score'));
    if (conversation === null || !SCORES.some((known) => known === score)) return;
    const comment = String(given.get('comment') ?? '').trim();
    const tags = given.getAll('tag').map(String);
    const rating: Rating = {
      score,
      solved: given.get('solved') !== null,
      ...(tags.length === 0 ? {} : { tags }),
      ...(comment === '' ? {} : { comment }),
    };
    await this.client.api.rate(conversation, rating);
    this.close(conversation);
    notice(say('rated', { score }));
  }

  /** Not now, and not after a reload either: the button stays. */
  private putOff(): void {
    if (this.conversation === null) return;
    localStorage.setItem(this.laterKey, this.conversation);
    this.close(this.conversation);
  }

  private close(conversation: string): void {
    this.done.add(conversation);
    this.wanted = null;
    this.form.hidden = true;
  }

  private draw(): void {
    const scores = h('fieldset', {}, h('legend', {}, say('rate_title')));
    for (const score of SCORES) {
      const choice = h('input', { type: 'radio', name: 'score', value: score, required: true });
      scores.append(h('label', {}, choice, `${score} ${say(`score_${score}`)}`));
    }
    const later = () => this.putOff();
    this.form.append(
      scores,
      this.tags,
      h('label', {}, h('input', { type: 'checkbox', name: 'solved' }), say('solved')),
      h('input', { type: 'text', name: 'comment', 'aria-label': say('comment'), placeholder: say('comment'), maxlength: 500 }),
      h(
        'div',
        { class: 'row' },
        h('button', { type: 'submit', class: 'strong' }, say('rate_send')),
        h('button', { type: 'button', click: later }, say('rate_later')),
      ),
    );
  }
}
