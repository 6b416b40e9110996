/**
 * A chat as bubbles: messages with what can be done to them, what a robot is writing, and those on their way. It must not know which
 * page shows it.
 */

import type { Chat, Client, Growing, Message, OutgoingMessage } from '../client/index.js';
import { Attachments } from './attachments.js';
import { type Entry, h, keep } from './dom.js';
import { date, speaker, timeOfDay } from './language.js';
import { COMMON } from './texts.js';

const say = speaker(COMMON);
/** Who is so near the newest message wants to see the next one. */
const NEAR_END_PX = 80;

export interface MessageListPort {
  client: Client;
  list: HTMLElement;
  /** How somebody is called on this page. */
  nameOf(message: Pick<Message, 'from' | 'category'>): string;
  quote(message: Message): void;
  /** How it stands with a message on its way, in the words of the page. */
  onItsWay?(message: OutgoingMessage): string;
  /** Asks one of the questions that the shop shows; a page without it shows none. */
  ask?(question: string): void;
  /** Something was refused. */
  trouble(error: unknown): void;
}

export class MessageList {
  private shown: string | null = null;
  /** Whether the newest message is in sight and shall stay so. */
  private following = true;
  private readonly attachments: Attachments;

  constructor(private readonly port: MessageListPort) {
    const { client, list, trouble } = port;
    this.attachments = new Attachments(client.api, trouble);
    // A picture that has come makes its bubble higher. The event does not rise, so it is caught on its way down.
    list.addEventListener('load', () => this.follow(), true);
    list.addEventListener('scroll', () => (this.following = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END_PX));
    new ResizeObserver(() => this.follow()).observe(list);
  }

  /** Shows a chat as it is now. The view follows the newest message unless somebody has scrolled up. */
  show(chat: Chat | null): void {
    const { list } = this.port;
    if (chat?.id !== this.shown) this.following = true;
    this.shown = chat?.id ?? null;
    keep(list, chat ? this.entries(chat) : []);
    this.follow();
  }

  private follow(): void {
    const { list } = this.port;
    if (this.following) list.scrollTop = list.scrollHeight;
  }

  private entries(chat: Chat): Entry[] {
    const { client } = this.port;
    const entries: Entry[] = [];
    if (chat.loadedFrom !== null && chat.loadedFrom > 1) entries.push(this.earlier(chat));
    let lastDay = '';
    for (const message of chat.messages) {
      if (message.hidden) continue;
      const today = date(message.createdAt);
      if (today !== lastDay) entries.push({ key: `day ${today}`, signature: today, make: () => h('li', { class: 'day' }, today) });
      lastDay = today;
      entries.push(this.bubble(message));
    }
    const growing = client.growing(chat.id).map((text) => this.growing(text));
    const onTheirWay = client.outgoing(chat.id).map((message) => this.onItsWay(message));
    const known = new Set(chat.messages.map((message) => keyOf(message.from, message.clientId)));
    return [...entries, ...[...growing, ...onTheirWay].filter(({ key }) => !known.has(key))];
  }

  private earlier(chat: Chat): Entry {
    const more = () => void this.port.client.older(chat.id).catch(this.port.trouble);
    const make = () => h('li', { class: 'day' }, h('button', { type: 'button', class: 'quiet', click: more }, say('earlier')));
    return { key: 'earlier', signature: '', make };
  }

  private bubble(message: Message): Entry {
    const { client } = this.port;
    const own = message.from === client.state.me;
    const recallable = own && !message.recalled && client.serverNow() - message.createdAt < client.limits.recall_window_ms;
    const name = this.port.nameOf(message);
    const signature = [name, message.content, message.recalled, message.read, recallable, message.id].join('\u0000');
    return { key: keyOf(message.from, message.clientId), signature, make: () => this.makeBubble(message, own, recallable) };
  }

  private makeBubble(message: Message, own: boolean, recallable: boolean): HTMLElement {
    const { client, nameOf, quote, trouble } = this.port;
    if (message.style === 'toast' || message.category === 'system') return this.told(message);
    const side = own ? 'own' : 'other';
    const staff = message.visibility === 'staff';
    const classes = `bubble ${side}${staff ? ' note' : ''}${message.recalled ? ' gone' : ''}`;
    const read = own && !staff ? ` · ${say(message.read ? 'read' : 'sent')}` : '';
    const actions = h('span', { class: 'actions' });
    const action = (text: string, run: () => void) => actions.append(h('button', { type: 'button', class: 'quiet', click: run }, text));
    if (!message.recalled && message.content !== null) action(say('reply'), () => quote(message));
    if (recallable) action(say('recall'), () => void client.recall(message.chat, message.id).catch(trouble));
    action(say('hide'), () => void client.hide(message.chat, message.id).catch(trouble));
    return h(
      'li',
      { class: classes, tabindex: 0, 'data-seq': message.seq },
      h('div', { class: 'who' }, nameOf(message), staff ? h('b', { class: 'tag' }, say('note')) : null),
      message.quoteText !== null && h('blockquote', {}, message.quoteText),
      this.content(message),
      ...this.beside(message),
      h('div', { class: 'when' }, timeOfDay(message.createdAt) + read, actions),
    );
  }

  /** What nobody in the chat said, with the questions that may be asked by a touch. */
  private told(message: Message): HTMLElement {
    return h('li', { class: 'day' }, message.content ?? '', ...this.hints(message));
  }

  /** Questions that may be asked by a touch. */
  private hints(message: Message): HTMLElement[] {
    const { ask } = this.port;
    if (!ask) return [];
    return hintsOf(message.ext).map((question) => h('button', { type: 'button', class: 'hint', click: () => ask(question) }, question));
  }

  /** What a robot shows beside its words: where to read more, and what may have been meant. */
  private beside(message: Message): HTMLElement[] {
    if (message.category !== 'robot' || message.recalled) return [];
    const link = ({ title, url }: Link) => h('a', { class: 'hint', href: url, target: '_blank', rel: 'noopener noreferrer' }, title);
    return [...linksOf(message.ext).map(link), ...this.hints(message)];
  }

  private content(message: Message): HTMLElement {
    if (message.recalled) return h('div', { class: 'text' }, say('recalled'));
    if (message.content === null) return h('div', { class: 'text' }, say('nothing'));
    const attachment = this.attachments.view(message);
    if (attachment) return attachment;
    const text = h('div', { class: 'text' }, message.content);
    const link = safeLink(message.url);
    if (link !== null) text.append(' ', h('a', { href: link, target: '_blank', rel: 'noopener noreferrer' }, link));
    return text;
  }

  /** What a robot writes; the message takes its place. Nobody wants to hear it read aloud at every word. */
  private growing({ id, user, content }: Growing): Entry {
    const make = () =>
      h(
        'li',
        { class: 'bubble other growing', 'aria-live': 'off', 'aria-busy': 'true' },
        h('div', { class: 'who' }, this.port.nameOf({ from: user, category: 'robot' })),
        h('div', { class: 'text' }, content),
        h('div', { class: 'when' }, say('growing'), h('span', { class: 'dots', 'aria-hidden': 'true' }, '…')),
      );
    return { key: keyOf(user, id), signature: content, make };
  }

  private onItsWay(message: OutgoingMessage): Entry {
    const { client, trouble } = this.port;
    const failed = message.state === 'failed';
    const words = this.port.onItsWay?.(message) ?? (failed ? `${say('failed')} (${message.code})` : say('sending'));
    const make = () => {
      const when = h('div', { class: 'when' }, words);
      if (failed) {
        const again = () => void client.sendAgain(message.id).catch(trouble);
        when.append(' ', h('button', { type: 'button', class: 'quiet', click: again }, say('try_again')));
        when.append(' ', h('button', { type: 'button', class: 'quiet', click: () => client.discard(message.id) }, say('discard')));
      }
      const staff = message.draft.visibility === 'staff' ? ' note' : '';
      const state = failed ? 'failed' : 'pending';
      return h('li', { class: `bubble own ${state}${staff}` }, h('div', { class: 'text' }, message.draft.content), when);
    };
    return { key: keyOf(client.state.me, message.id), signature: `${message.state} ${words}`, make };
  }
}

/** What a message is known by from its writing on. Everybody mints their own ids, and may use somebody else's. */
function keyOf(from: string, clientId: string): string {
  return `${from}/${clientId}`;
}

/** The questions that a shop shows beside its words. */
function hintsOf(ext: unknown): string[] {
  if (typeof ext !== 'object' || ext === null || !('hints' in ext) || !Array.isArray(ext.hints)) return [];
  return ext.hints.filter((hint): hint is string => typeof hint === 'string');
}

interface Link {
  title: string;
  url: string;
}

/** The links that stand beside an answer; those that lead to no page are left out. */
function linksOf(ext: unknown): Link[] {
  if (typeof ext !== 'object' || ext === null || !('links' in ext) || !Array.isArray(ext.links)) return [];
  return ext.links.filter((link): link is Link => {
    if (typeof link !== 'object' || link === null || !('title' in link) || !('url' in link)) return false;
    return typeof link.title === 'string' && typeof link.url === 'string' && safeLink(link.url) !== null;
  });
}

/** Links lead to pages; anything else that looks like a link is not one. */
function safeLink(url: string | null): string | null {
  if (url === null || !URL.canParse(url)) return null;
  return ['http:', 'https:'].includes(new URL(url).protocol) ? url : null;
}
