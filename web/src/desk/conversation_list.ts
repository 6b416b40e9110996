/** The agent's conversations: those that are served, who waits longest first; and below them the group threads. */

import { type Chat, type Client, waitingSince } from '../client/index.js';
import { type Entry, byId, h, keep } from '../page/dom.js';
import { span, speaker } from '../page/language.js';
import { nameOfUser } from './names.js';
import { TEXTS } from './texts.js';
import { type Threads, isThread } from './threads.js';

const say = speaker(TEXTS);
const KEY = 'kefu.desk.accepted';

export class ConversationList {
  /** Conversations that the agent has opened; the others are new. Kept for as long as the window is. */
  private readonly accepted: Set<string>;

  constructor(
    private readonly client: Client,
    private readonly threads: Threads,
    private readonly choose: (chat: string) => void,
  ) {
    this.accepted = new Set(JSON.parse(sessionStorage.getItem(KEY) ?? '[]') as string[]);
  }

  /** Whoever uses this window next has opened nothing. */
  static forget(): void {
    sessionStorage.removeItem(KEY);
  }

  /** The chats that this agent serves. */
  served(): Chat[] {
    const { state } = this.client;
    const own = (chat: Chat) => chat.joined && chat.conversation?.status === 'serving' && chat.conversation.agent === state.me;
    const since = (chat: Chat) => waitingSince(chat) ?? Number.MAX_SAFE_INTEGER;
    return Object.values(state.chats)
      .filter(own)
      .sort((one, other) => since(one) - since(other) || (other.lastMessageAt ?? 0) - (one.lastMessageAt ?? 0));
  }

  /** Notes that a conversation was opened; answers whether it was new. */
  accept(chat: string): boolean {
    const conversation = this.client.state.chats[chat]?.conversation;
    if (!conversation || this.accepted.has(conversation.id)) return false;
    this.accepted.add(conversation.id);
    sessionStorage.setItem(KEY, JSON.stringify([...this.accepted]));
    return true;
  }

  update(chosen: string | null): void {
    const served = this.served();
    const none = { key: 'none', signature: '', make: () => h('li', { class: 'dim' }, say('none')) };
    keep(byId('open', HTMLElement), served.length === 0 ? [none] : served.map((chat) => this.item(chat, chosen)));
    const threads = this.threads.all();
    byId('threads-title', HTMLElement).hidden = threads.length === 0;
    keep(byId('threads', HTMLElement), threads.map((chat) => this.item(chat, chosen)));
  }

  private item(chat: Chat, chosen: string | null): Entry {
    const thread = isThread(chat);
    const since = thread ? null : waitingSince(chat);
    const wait = since === null ? '' : say('waits', { span: span(this.client.serverNow() - since) });
    const unread = this.client.unread(chat.id);
    const fresh = !thread && !this.accepted.has(chat.conversation?.id ?? '');
    const name = thread ? this.threads.titleOf(chat) : say('customer', { name: nameOfUser(chat.customer ?? '') });
    const last = chat.messages.findLast((message) => !message.hidden && message.content !== null)?.content ?? '';
    const preview = last === '' && thread ? this.threads.membersOf(chat) : last;
    const current = chat.id === chosen;
    const signature = [wait, unread, fresh, preview, current, name].join('\u0000');
    const make = () =>
      h(
        'li',
        {},
        h(
          'button',
          { type: 'button', class: 'item', 'aria-current': String(current), 'data-chat': chat.id, click: () => this.choose(chat.id) },
          h(
            'span',
            { class: 'line' },
            h('span', { class: 'grow name' }, name),
            thread && h('b', { class: 'tag thread' }, say('thread')),
            unread > 0 && h('span', { class: 'count', 'aria-label': say('unread', { count: unread }) }, String(unread)),
          ),
          h('span', { class: 'preview' }, preview === '' ? '…' : preview),
          (fresh || wait !== '') &&
            h('span', { class: 'line' }, h('span', { class: 'wait grow' }, wait), fresh && h('b', { class: 'tag' }, say('fresh'))),
        ),
      );
    return { key: chat.id, signature, make };
  }
}
