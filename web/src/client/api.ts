/** Requests with a sign-in: what is done to conversations, files, threads, and any other route. It must not know what the answers change. */

import { ApiError, type Call, type Http } from './http.js';
import type { Ids } from './ids.js';
import type { Suggested } from './protocol.js';
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

/** Who has a conversation next: an agent, or whoever of a group is. */
export type TransferTarget = { agent: string } | { group: string };

/** A file that was uploaded; a message refers to it by `url` and `kind`. */
export interface Attachment {
  id: string;
  url: string;
  /** As its content tells. */
  kind: 'picture' | 'video' | 'audio' | 'file';
  media_type: string;
  bytes: number;
}

/** Somebody in a group thread. */
export interface ThreadMember {
  user: string;
  /** Null when they were erased. */
  display_name: string | null;
  /** What they are to the others, in the tenant's word. */
  label: string;
}

/** A group thread. */
export interface Thread {
  id: string;
  /** Null when whoever named it was erased. */
  title: string | null;
  /** Null once it was dissolved. */
  owner: string | null;
  dissolved: boolean;
  /** The reader's own part. */
  own: { permissions: string[] } | null;
  members: ThreadMember[];
}

/** A file may take so much longer than any other request, for each byte of it: 20 KB a second. */
const MS_A_BYTE = 1 / 20;
const FILE_TIMEOUT_MS = 60_000;

export class Api {
  constructor(
    private readonly http: Http,
    private readonly session: Session,
    private readonly ids: Ids,
  ) {}

  /** A request of the API; a change is repeated under one key until it is answered. */
  async call<Answer>(method: Call['method'], path: string, body?: unknown, timeoutMs?: number): Promise<Answer> {
    const key = method === 'GET' ? {} : { idempotencyKey: this.ids.next() };
    const call = { method, path, ...(body === undefined ? {} : { body }), ...key, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
    return this.signedIn((token) => this.http.repeated<Answer>({ ...call, token }));
  }

  /** Asks with a token, and once more with a fresh one if it was worn out. */
  private async signedIn<Answer>(ask: (token: string) => Promise<Answer>): Promise<Answer> {
    const token = await this.session.accessToken();
    try {
      return await ask(token);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
      await this.session.refresh(token);
      return ask(await this.session.accessToken());
    }
  }

  /** Uploads a file into a chat. A message may refer to it from the answer on. */
  async upload(chat: string, file: Blob, name: string): Promise<Attachment> {
    const path = `/v1/tenants/${this.session.tenant}/chats/${chat}/attachments?name=${encodeURIComponent(name)}`;
    return this.call<Attachment>('POST', path, file, FILE_TIMEOUT_MS + file.size * MS_A_BYTE);
  }

  /** Whether a message's `url` is a file that was uploaded here. Nothing else is asked for with the sign-in's token. */
  isAttachment(url: string | null): url is string {
    return url !== null && /^\/v1\/tenants\/[a-z0-9_-]+\/attachments\/[0-9a-f-]+$/.test(url);
  }

  /** Reads an uploaded file. */
  async attachment(url: string): Promise<Blob> {
    if (!this.isAttachment(url)) throw new TypeError('not an attachment');
    return this.signedIn((token) => this.http.file({ method: 'GET', path: url, token, timeoutMs: 10 * FILE_TIMEOUT_MS }));
  }

  /** Reads a group thread with everybody in it. */
  async thread(id: string): Promise<Thread> {
    return this.in<Thread>('GET', `threads/${id}`);
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

  /** The tags that the shop offers with a rating; none when it offers none. */
  async ratingTags(conversation: string): Promise<string[]> {
    return (await this.in<{ rating_tags: string[] }>('GET', `conversations/${conversation}`)).rating_tags;
  }

  /** Asks for a human instead of the robot. */
  async handOff(conversation: string): Promise<void> {
    await this.in('POST', `conversations/${conversation}/hand-off`);
  }

  /** Says that one has the conversation that one was given. */
  async accept(conversation: string): Promise<void> {
    await this.in('POST', `conversations/${conversation}/accept`);
  }

  /** Takes a conversation that waits where agents pick. */
  async pick(conversation: string): Promise<void> {
    await this.in('POST', `conversations/${conversation}/pick`);
  }

  /** Hands a conversation over, with a remark that the customer does not see. */
  /** What a robot would answer to what the customer wrote last. Nobody else sees it. */
  suggest(conversation: string): Promise<Suggested> {
    return this.in('POST', `conversations/${conversation}/suggestions`, {});
  }

  async transfer(conversation: string, to: TransferTarget, remark?: string): Promise<void> {
    await this.in('POST', `conversations/${conversation}/transfer`, { ...to, ...(remark === undefined ? {} : { remark }) });
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
