/** Requests with a sign-in: what is done to conversations, and any other route. It must not know what the answers change. */

import { ApiError, type Call, type Http } from './http.js';
import type { Ids } from './ids.js';
import type { Session } from './session.js';

/** From where a customer comes. */
export interface Entry {
  page?: 'product' | 'shop' | 'order' | 'logistics';
  subject?: string;
  group?: string;
}

export interface Rating {
  /** 1 to 5. */
  score: number;
  solved?: boolean;
  comment?: string;
  tags?: string[];
}

export class Api {
  constructor(
    private readonly http: Http,
    private readonly session: Session,
    private readonly ids: Ids,
  ) {}

  /** A request of the API; a change is repeated under one key until it is answered. */
  async call<Answer>(method: Call['method'], path: string, body?: unknown): Promise<Answer> {
    const key = method === 'GET' ? {} : { idempotencyKey: this.ids.next() };
    const call = { method, path, ...(body === undefined ? {} : { body }), ...key };
    const token = await this.session.accessToken();
    try {
      return await this.http.repeated<Answer>({ ...call, token });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      await this.session.refresh(token);
      return this.http.repeated<Answer>({ ...call, token: await this.session.accessToken() });
    }
  }

  /** A request about something of the tenant: `in('GET', 'me')`. */
  async in<Answer>(method: Call['method'], path: string, body?: unknown): Promise<Answer> {
    return this.call<Answer>(method, `/v1/tenants/${this.session.tenant}/${path}`, body);
  }

  /** Opens the chat with a shop and begins a conversation if none is open; answers the chat. */
  async enter(shop: string, entry: Entry = {}, start = true): Promise<string> {
    return (await this.in<{ chat: string }>('POST', 'chats', { shop, entry, start })).chat;
  }

  async rate(conversation: string, rating: Rating): Promise<void> {
    await this.in('POST', `conversations/${conversation}/rating`, rating);
  }

  /** Asks the customer to rate. */
  async inviteRating(conversation: string): Promise<void> {
    await this.in('POST', `conversations/${conversation}/rating-invitation`);
  }

  /** Ends a conversation. What the customer wrote after `seenSeq` keeps it open. */
  async end(conversation: string, seenSeq?: number): Promise<void> {
    await this.in('POST', `conversations/${conversation}/close`, seenSeq === undefined ? {} : { seen_seq: seenSeq });
  }
}
