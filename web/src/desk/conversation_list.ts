/** The agent's conversations: those that are served, who waits longest first; and below them the group threads. */

import { type Chat, type Client, type Item, waitingSince } from '../client/index.js';
import { byId, h, say as put } from '../page/dom.js';
import { span, speaker } from '../page/language.js';
import { titleOf } from './about.js';
import type { Details } from './details.js';
import { type Row, Rows } from './rows.js';
import { TEXTS } from './texts.js';
import { type Threads, isThread } from './threads.js';

const say = speaker(TEXTS);
const KEY = 'kefu.desk.accepted';

export interface ConversationListPort {
  client: Client;
  threads: Threads;
  details: Details;
  choose(chat: string): void;
}

export class ConversationList {
  /**
   * Conversations that the agent has opened, with the assignment under which they had them; null if it was not known. The others are
   * new. Kept for as long as the window is.
   */
  private readonly accepted: Map<string, number | null>;
  /** The assignments that were heard of. */
  private readonly assignments = new Map<string, number>();
  private readonly open: Rows<Chat>;
  private readonly below: Rows<Chat>;
  private chosen: string | null = null;

  constructor(private readonly port: ConversationListPort) {
    this.accepted = new Map(Object.entries(keptAccepted()));
    const rows = (id: string) => new Rows<Chat>(byId(id, HTMLElement), (chat) => chat.id, (chat) => this.row(chat.id));
    [this.open, this.below] = [rows('open'), rows('threads')];
  }

  /** Whoever uses this window next has opened nothing. */
  static forget(): void {
    sessionStorage.removeItem(KEY);
  }

  /** The chats that this agent serves. */
  served(): Chat[] {
    const { state } = this.port.client;
    const own = (chat: Chat) => chat.joined && chat.conversation?.status === 'serving' && chat.conversation.agent === state.me;
    const since = (chat: Chat) => waitingSince(chat) ?? Number.MAX_SAFE_INTEGER;
    return Object.values(state.chats)
      .filter(own)
      .sort((one, other) => since(one) - since(other) || (other.lastMessageAt ?? 0) - (one.lastMessageAt ?? 0));
  }

  /** A conversation that comes back comes under another assignment, and is new again. */
  happened(item: Item): void {
    if (item.k !== 'conversation' || item.event !== 'agent_assigned' || item.assignment === undefined) return;
    if (item.agent === this.port.client.state.me) this.assignments.set(item.conversation, item.assignment);
  }

  /** Notes that a conversation was opened; answers whether it was new. */
  accept(chat: Chat): boolean {
    if (!chat.conversation || !this.isNew(chat)) return false;
    const { id } = chat.conversation;
    this.note(id, this.assignments.get(id) ?? this.port.details.assignmentOf(id));
    return true;
  }

  update(chosen: string | null): void {
    this.chosen = chosen;
    const served = this.served();
    for (const { conversation } of served) if (conversation) this.learn(conversation.id);
    const none = { key: 'none', signature: '', make: () => h('li', { class: 'dim' }, say('none')) };
    this.open.show(served, served.length === 0 ? [none] : []);
    const threads = this.port.threads.all();
    byId('threads-title', HTMLElement).hidden = threads.length === 0;
    this.below.show(threads);
  }

  /** An assignment that was not known when the conversation was opened, and has been read since. */
  private learn(id: string): void {
    if (this.accepted.get(id) !== null || this.assignments.has(id)) return;
    const assignment = this.port.details.assignmentOf(id);
    if (assignment !== null) this.note(id, assignment);
  }

  private note(id: string, assignment: number | null): void {
    this.accepted.set(id, assignment);
    sessionStorage.setItem(KEY, JSON.stringify(Object.fromEntries(this.accepted)));
  }

  private isNew(chat: Chat): boolean {
    const id = chat.conversation?.id;
    if (isThread(chat) || id === undefined) return false;
    const accepted = this.accepted.get(id);
    if (accepted === undefined) return true;
    const heard = this.assignments.get(id);
    if (heard !== undefined) return heard !== accepted;
    // It may have gone and come back while the page was away.
    return accepted !== null && (this.port.details.assignmentOf(id) ?? accepted) > accepted;
  }

  private row(id: string): Row<Chat> {
    const { choose, client, threads } = this.port;
    const name = h('span', { class: 'grow name' });
    const thread = h('b', { class: 'tag thread' }, say('thread'));
    const count = h('span', { class: 'count' });
    const preview = h('span', { class: 'preview' });
    const wait = h('span', { class: 'wait grow' });
    const fresh = h('b', { class: 'tag' }, say('fresh'));
    const below = h('span', { class: 'line' }, wait, fresh);
    const button = h(
      'button',
      { type: 'button', class: 'item', 'data-chat': id, click: () => choose(id) },
      h('span', { class: 'line' }, name, thread, count),
      preview,
      below,
    );
    const show = (chat: Chat) => {
      const since = isThread(chat) ? null : waitingSince(chat);
      put(wait, since === null ? '' : say('waits', { span: span(client.serverNow() - since) }));
      fresh.hidden = !this.isNew(chat);
      below.hidden = since === null && fresh.hidden;
      put(name, titleOf(chat, threads));
      thread.hidden = !isThread(chat);
      put(preview, this.previewOf(chat));
      const unread = client.unread(id);
      count.hidden = unread === 0;
      put(count, String(unread));
      count.setAttribute('aria-label', say('unread', { count: unread }));
      button.setAttribute('aria-current', String(id === this.chosen));
    };
    return { element: h('li', {}, button), show };
  }

  private previewOf(chat: Chat): string {
    const last = chat.messages.findLast((message) => !message.hidden && message.content !== null)?.content ?? '';
    const words = last === '' && isThread(chat) ? this.port.threads.membersOf(chat) : last;
    return words === '' ? '…' : words;
  }
}

/** A window that was open while the page was another one has kept a plain list. */
function keptAccepted(): Record<string, number | null> {
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Record<string, number | null> | string[];
  return Array.isArray(kept) ? Object.fromEntries(kept.map((id) => [id, null])) : kept;
}
