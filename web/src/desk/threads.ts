/** The group threads that the agent belongs to: what they are called, who is in them, and whether one may write there. */

import type { Chat, Client, Item, Thread } from '../client/index.js';
import { speaker } from '../page/language.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
/** A thread that could not be read is asked for again after this long. */
const AGAIN_MS = 15_000;
/** Most threads that the server lists at once. */
const LISTED_MAX = 200;
/** Members whose names are written out. */
const NAMED_MAX = 8;

/** Whether a chat is a group thread: one without a shop and a customer. */
export function isThread(chat: Chat): boolean {
  return chat.described && chat.shop === null && chat.customer === null;
}

export class Threads {
  /** What the threads of the agent's list are called; one that they put aside is not in it. */
  private titles = new Map<string, string | null>();
  /** Threads that the list was read for, whether they are in it or not. */
  private readonly listed = new Set<string>();
  private listing = false;
  /** Threads with everybody in them. */
  private readonly whole = new Map<string, Thread>();
  /** When each was last asked for, and whether that was answered. */
  private readonly asked = new Map<string, { at: number; answered: boolean }>();
  /** How often a thread was told to be otherwise: what was asked before the last time may be answered with what was. */
  private told = 0;
  /** When the list could not be read. */
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly client: Client,
    private readonly changed: () => void,
  ) {}

  /** The agent's threads, the latest activity first. */
  all(): Chat[] {
    const threads = Object.values(this.client.state.chats).filter((chat) => chat.joined && isThread(chat));
    if (threads.some((chat) => !this.listed.has(chat.id))) void this.list(threads);
    const shown = threads.filter((chat) => this.titles.has(chat.id));
    return shown.sort((one, other) => (other.lastMessageAt ?? 0) - (one.lastMessageAt ?? 0) || (one.id < other.id ? -1 : 1));
  }

  titleOf(chat: Chat): string {
    return this.whole.get(chat.id)?.title ?? this.titles.get(chat.id) ?? say('untitled');
  }

  /** Who is in a thread, as far as it was read. */
  membersOf(chat: Chat): string {
    const members = this.whole.get(chat.id)?.members ?? [];
    if (members.length === 0) return '';
    const names = members.slice(0, NAMED_MAX).map((member) => member.display_name ?? member.label);
    if (members.length > NAMED_MAX) names.push(say('and_more'));
    return say('members', { count: members.length, names: names.join(say('between_names')) });
  }

  /** How somebody is called in a thread; null when the thread does not say. */
  nameIn(chat: Chat, user: string): string | null {
    const member = this.whole.get(chat.id)?.members.find((known) => known.user === user);
    return member ? (member.display_name ?? member.label) : null;
  }

  /** Whether the agent may write there; null until that was read. */
  mayWrite(chat: Chat): boolean | null {
    const thread = this.whole.get(chat.id);
    if (!thread) return null;
    const { dissolved, own, owner } = thread;
    return !dissolved && (owner === this.client.state.me || own?.permissions.includes('post') === true);
  }

  /** A thread is looked at: everybody in it shall be known. */
  open(chat: Chat): void {
    const asked = this.asked.get(chat.id);
    if (asked === undefined || (!asked.answered && this.client.serverNow() - asked.at > AGAIN_MS)) void this.read(chat.id);
  }

  /** Something happened to a thread: what was read of it is read anew. */
  happened(item: Item): void {
    if (item.k !== 'thread' && item.k !== 'joined' && item.k !== 'member_joined' && item.k !== 'member_left') return;
    if (item.k === 'thread') {
      this.told += 1;
      this.listed.delete(item.chat);
    }
    if (this.asked.has(item.chat)) void this.read(item.chat);
  }

  private async list(threads: readonly Chat[]): Promise<void> {
    const now = this.client.serverNow();
    if (this.listing || now - this.failedAt < AGAIN_MS) return;
    this.listing = true;
    const told = this.told;
    try {
      const { data } = await this.client.api.in<{ data: Pick<Thread, 'id' | 'title'>[] }>('GET', `threads?limit=${LISTED_MAX}`);
      this.titles = new Map(data.map(({ id, title }) => [id, title]));
      // Otherwise it is asked for again.
      if (told === this.told) for (const chat of threads) this.listed.add(chat.id);
    } catch {
      this.failedAt = now;
      return;
    } finally {
      this.listing = false;
    }
    this.changed();
  }

  private async read(id: string): Promise<void> {
    const asked = { at: this.client.serverNow(), answered: false };
    this.asked.set(id, asked);
    try {
      const thread = await this.client.api.thread(id);
      // It was asked for once more meanwhile, and that answer is the newer one.
      if (this.asked.get(id) !== asked) return;
      asked.answered = true;
      this.whole.set(id, thread);
    } catch {
      // What is shown stays, and it is asked for again.
      return;
    }
    this.changed();
  }
}
