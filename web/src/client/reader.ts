/** Reads what the feed does not tell: earlier messages of a chat, and what a chat is. It must not know who asks, or when. */

import type { Api } from './api.js';
import type { WireChat, WireMessage } from './protocol.js';
import { type Chat, type State, applyDescription, applyHistory } from './state.js';

/** Messages that one look into the past brings. */
const HISTORY_PAGE = 50;
/** Most messages that the server tells at once. */
const HISTORY_MAX = 200;

export interface ReaderPort {
  api: Api;
  state(): State;
  /** The state is different. */
  changed(): void;
  /** Something could not be read; it is asked for again at the next occasion. */
  failed(error: unknown): void;
}

export class Reader {
  private readonly describing = new Set<string>();
  private readonly opening = new Map<string, Promise<void>>();

  constructor(private readonly port: ReaderPort) {}

  /** Makes sure that the last messages of a chat are known. */
  async open(id: string): Promise<void> {
    const chat = this.port.state().chats[id];
    if (!chat?.joined || chat.loadedFrom !== null) return;
    const before = this.opening.get(id);
    if (before) return before;
    const opened = this.read(chat, Math.max(1, chat.lastSeq - HISTORY_PAGE + 1), null).finally(() => this.opening.delete(id));
    this.opening.set(id, opened);
    return opened;
  }

  /** Reads messages before those that are known; answers whether there are more. */
  async older(id: string): Promise<boolean> {
    const chat = this.port.state().chats[id];
    if (!chat) return false;
    const end = chat.loadedFrom ?? chat.lastSeq + 1;
    if (end > 1) await this.read(chat, Math.max(1, end - HISTORY_PAGE), end);
    return (this.port.state().chats[id]?.loadedFrom ?? 1) > 1;
  }

  /** Asks what the chats are of which only the feed has told. */
  describe(): void {
    for (const chat of Object.values(this.port.state().chats)) {
      if (chat.joined && !chat.described && !this.describing.has(chat.id)) void this.describeOne(chat.id);
    }
  }

  private async describeOne(chat: string): Promise<void> {
    this.describing.add(chat);
    try {
      const order = { bizCode: 'session_detail', chat };
      const answer = await this.port.api.call<{ chat: WireChat | null }>('POST', '/v1/sendmessage', order);
      if (answer.chat) applyDescription(this.port.state(), answer.chat);
      this.port.changed();
    } catch (error) {
      this.port.failed(error);
    } finally {
      this.describing.delete(chat);
    }
  }

  private async read(chat: Chat, from: number, before: number | null): Promise<void> {
    let next: number | null = from;
    while (next !== null) {
      const limit: number = before === null ? HISTORY_MAX : Math.min(HISTORY_MAX, before - next);
      const asked = `chats/${chat.id}/messages?from_seq=${next}&limit=${limit}`;
      const page: { data: WireMessage[]; next_seq: number | null } = await this.port.api.in('GET', asked);
      next = page.next_seq !== null && (before === null || page.next_seq < before) ? page.next_seq : null;
      applyHistory(this.port.state(), chat.id, next === null ? from : null, page.data);
    }
    this.port.changed();
  }
}
