/**
 * A chat as bubbles: messages with what can be done to them, what a robot is writing, and those on their way. It must not know which
 * page shows it.
 */

import type { Chat, Client, Growing, Message, OutgoingMessage } from '../client/index.js';
import { Attachments } from './attachments.js';
import { type Entry, confirmed, h, keep, say as put } from './dom.js';
import { date, speaker, timeOfDay } from './language.js';
import { ReadingPlace } from './reading_place.js';
import { reasonOf } from './reasons.js';
import { Roving } from './roving.js';
import { COMMON } from './texts.js';

const say = speaker(COMMON);
/** A browser's timers count no further. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

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
  /** Something else is in sight. */
  looked?(): void;
  /** Something was refused. */
  trouble(error: unknown): void;
}

/** What is said of a bubble in small print, and what can be done to it: it changes while the words stay. */
interface Small {
  classes: string;
  when: string;
  actions: { text: string; run(): void }[];
  seq: number | null;
}

export class MessageList {
  private chat: Chat | null = null;
  private readonly attachments: Attachments;
  private readonly place: ReadingPlace;
  private readonly roving: Roving;
  /** The newest message that was shown, and how many of one's own were on their way. */
  private newest = 0;
  private written = new Set<string>();
  /** Runs when a message can be recalled no longer. */
  private expiry: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly port: MessageListPort) {
    const { client, list, trouble } = port;
    this.attachments = new Attachments(client.api, trouble);
    this.place = new ReadingPlace(list, say('newer'), () => port.looked?.());
    this.roving = new Roving(list);
    list.setAttribute('aria-relevant', 'additions');
  }

  /** Shows a chat as it is now. The view follows the newest message unless somebody has scrolled up, and does not write. */
  show(chat: Chat | null): void {
    const { client, list } = this.port;
    const another = chat?.id !== this.chat?.id;
    this.chat = chat;
    keep(list, chat ? this.entries(chat) : []);
    this.roving.tidy();
    const last = chat?.messages.at(-1);
    const written = new Set((chat ? client.outgoing(chat.id) : []).map(({ id }) => id));
    const wrote = [...written].some((id) => !this.written.has(id));
    const heard = last !== undefined && last.seq > this.newest && last.from !== client.state.me;
    this.newest = last?.seq ?? 0;
    this.written = written;
    if (another || wrote) this.place.follow();
    else this.place.hold();
    if (heard) this.place.news();
    this.planExpiry();
  }

  /** How far the chat that is shown was seen: up to the last message that is in sight. */
  seen(): number {
    return this.chat && this.chat.loadedFrom !== null ? this.place.seen(this.chat.lastSeq) : 0;
  }

  /** What could be recalled a moment ago cannot be for ever. */
  private planExpiry(): void {
    const { client } = this.port;
    clearTimeout(this.expiry);
    const left = (this.chat?.messages ?? [])
      .filter(({ from, recalled }) => from === client.state.me && !recalled)
      .map(({ createdAt }) => createdAt + client.limits.recall_window_ms - client.serverNow())
      .filter((ms) => ms > 0);
    if (left.length > 0) this.expiry = setTimeout(() => this.show(this.chat), Math.min(...left, LONGEST_TIMER_MS));
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
    const { client, nameOf } = this.port;
    const key = keyOf(message.from, message.clientId);
    const { content, kind, recalled, url } = message;
    if (message.style === 'toast' || message.category === 'system') {
      return { key, signature: `${message.id} ${content}`, make: () => this.told(message) };
    }
    const own = message.from === client.state.me;
    const staff = message.visibility === 'staff';
    const quoted = message.quote === null || recalled ? null : (message.quoteText ?? say('recalled'));
    const read = own && !staff ? ` · ${say(message.read ? 'read' : 'sent')}` : '';
    const small: Small = {
      classes: `bubble ${own ? 'own' : 'other'}${staff ? ' note' : ''}${recalled ? ' gone' : ''}`,
      when: timeOfDay(message.createdAt) + read,
      actions: this.actions(message, own),
      seq: message.seq,
    };
    const words = [nameOf(message), content, url === null ? '' : `${kind} ${url}`, quoted, recalled, staff];
    return this.entry(key, words, small, () => [who(nameOf(message), staff), quote(quoted), this.content(message), ...this.beside(message)]);
  }

  private actions(message: Message, own: boolean): Small['actions'] {
    const { client, quote, trouble } = this.port;
    const recallable = own && !message.recalled && client.serverNow() - message.createdAt < client.limits.recall_window_ms;
    const actions: Small['actions'] = [];
    if (!message.recalled && message.content !== null) actions.push({ text: say('reply'), run: () => quote(message) });
    if (recallable) actions.push({ text: say('recall'), run: () => void client.recall(message.chat, message.id).catch(trouble) });
    return [...actions, { text: say('hide'), run: () => void this.hide(message).catch(trouble) }];
  }

  private async hide(message: Message): Promise<void> {
    if (await confirmed(say('hide_sure'), say('yes'), say('no'))) await this.port.client.hide(message.chat, message.id);
  }

  /** A bubble whose words make it what it is, while its small print changes in place. */
  private entry(key: string, words: readonly unknown[], small: Small, parts: () => (HTMLElement | null)[]): Entry {
    const make = () => {
      // Nobody wants to hear it again for being sent, and read.
      const when = h('div', { class: 'when', 'aria-live': 'off' }, h('span', {}), h('span', { class: 'actions' }));
      return h('li', {}, ...parts(), when);
    };
    const texts = small.actions.map(({ text }) => text).join();
    const state = [small.classes, small.when, texts, small.seq].join('\u0000');
    return { key, signature: JSON.stringify(words), make, state, bring: (element) => bring(element, small, texts) };
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
    const { client, nameOf, trouble } = this.port;
    const { draft, state, id, code } = message;
    const failed = state === 'failed';
    const staff = draft.visibility === 'staff';
    const again = { text: say('try_again'), run: () => void client.sendAgain(id).catch(trouble) };
    const small: Small = {
      classes: `bubble own ${failed ? 'failed' : 'pending'}${staff ? ' note' : ''}`,
      when: this.port.onItsWay?.(message) ?? (failed ? `${say('failed')} · ${reasonOf(code ?? '')}` : say('sending')),
      actions: failed ? [again, { text: say('discard'), run: () => client.discard(id) }] : [],
      seq: null,
    };
    const name = nameOf({ from: client.state.me, category: 'customer' });
    const known = this.chat?.messages.find((other) => other.id === draft.quote);
    const quoted = draft.quote === undefined ? null : (known?.content ?? say('recalled'));
    // As the words of the message that it becomes, unless that shows a file.
    const words = [name, draft.content, draft.url === undefined ? '' : 'on its way', quoted, false, staff];
    const text = () => h('div', { class: 'text' }, draft.content);
    return this.entry(keyOf(client.state.me, id), words, small, () => [who(name, staff), quote(quoted), text()]);
  }
}

function who(name: string, staff: boolean): HTMLElement {
  return h('div', { class: 'who' }, name, staff ? h('b', { class: 'tag' }, say('note')) : null);
}

function quote(text: string | null): HTMLElement | null {
  return text === null ? null : h('blockquote', {}, text);
}

/** Brings the small print of a bubble up to date. */
function bring(element: HTMLElement, { classes, when, actions, seq }: Small, texts: string): void {
  element.className = classes;
  if (seq !== null) element.dataset['seq'] = String(seq);
  const [told, place] = element.querySelectorAll<HTMLElement>('.when > span');
  if (told) put(told, when);
  // An own message that was sent has an id of its own from then on.
  const of = `${texts} ${seq}`;
  if (!place || place.dataset['of'] === of) return;
  place.dataset['of'] = of;
  place.replaceChildren(...actions.map(({ text, run }) => h('button', { type: 'button', class: 'quiet', tabindex: -1, click: run }, text)));
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
