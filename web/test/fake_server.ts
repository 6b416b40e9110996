/**
 * A small kefu in memory, for unit tests: one tenant, its chats and feeds, sockets and polls as docs/PROTOCOL.md has them, and faults
 * on request. It knows no rules beyond those that a client can see.
 */

import type {
  ClientFrame,
  HttpRequest,
  Item,
  NackFrame,
  PollRequest,
  ServerFrame,
  SocketLike,
  WireChat,
  WireMessage,
} from '../src/client/index.js';
import type { FakeClock } from './fake_clock.js';
import { FakeSocket } from './fake_socket.js';

/** How long an item that a polling device knows anyway waits for another one. */
const ECHO_WAITS_MS = 1_000;

interface FakeChat {
  id: string;
  shop: string;
  customer: string;
  members: string[];
  messages: WireMessage[];
  reads: Record<string, number>;
  conversation: { id: string; status: 'waiting' | 'serving' | 'closed'; agent: string | null } | null;
}

interface Poll {
  user: string;
  device: string;
  after: number;
  signals: number;
  answer: (superseded: boolean) => void;
}

type Order = Extract<ClientFrame, { t: 'send' | 'read' | 'recall' | 'hide' }>;

export class FakeServer {
  readonly chats = new Map<string, FakeChat>();
  readonly feeds = new Map<string, Item[]>();
  readonly sockets = new Set<FakeSocket>();
  /** Everything that clients have said, in the order of arrival. */
  readonly heard: { user: string; via: 'socket' | 'poll'; frame: ClientFrame }[] = [];
  readonly requests: string[] = [];
  socketTries = 0;
  // Faults.
  refuseSockets = false;
  refuseHttp = false;
  /** Sockets connect, and nothing comes from them any more. */
  silentSockets = false;
  /** Polls are taken and never answered. */
  hangPolls = 0;
  /** Orders are carried out, and their answers get lost. */
  loseAnswers = false;
  /** So many ranges are asked for in vain. */
  ignoreRanges = 0;
  /** A `hello` with `after` 0 means "from now on", as it did once. */
  zeroMeansNow = false;
  /** After which index clients have connected, and by which way. */
  readonly hellos: { via: 'socket' | 'poll'; after: number | undefined }[] = [];
  /** Items with these numbers are not pushed, as if they were lost. */
  readonly losing = new Set<number>();
  /** What the next orders of messages are answered instead of being carried out. */
  readonly refusals: Pick<NackFrame, 'code' | 'retry'>[] = [];
  /** Access tokens that are not good any more. */
  readonly spent = new Set<string>();
  readonly refreshKeys: string[] = [];
  /** Nobody can refresh any more. */
  signedOut = false;
  /** What is current for somebody who connects or resumes. */
  whole: (user: string) => ServerFrame[] = () => [];

  private polls: Poll[] = [];
  /** The device whose message is being posted: its own poll does not end for it. */
  private speaking: string | null = null;
  private counter = 0;

  constructor(readonly clock: FakeClock) {}

  token(user: string, generation = 1): string {
    return `${user}:${generation}`;
  }

  id(): string {
    this.counter += 1;
    return this.counter.toString(16).padStart(32, '0');
  }

  // What happens on the server.

  openChat(customer: string, shop = 'shop'): string {
    const chat: FakeChat = { id: this.id(), shop, customer, members: [customer], messages: [], reads: {}, conversation: null };
    this.chats.set(chat.id, chat);
    this.enter([customer], { k: 'joined', chat: chat.id, user: customer, role: 'customer' });
    chat.conversation = { id: this.id(), status: 'waiting', agent: null };
    this.enter([customer], { k: 'conversation', chat: chat.id, conversation: chat.conversation.id, event: 'opened' });
    this.enter([customer], { k: 'conversation', chat: chat.id, conversation: chat.conversation.id, event: 'handed_off', group: 'main' });
    return chat.id;
  }

  assign(chatId: string, agent: string): void {
    const chat = this.chat(chatId);
    if (!chat.conversation) throw new Error('no conversation');
    chat.conversation = { ...chat.conversation, status: 'serving', agent };
    const about = { chat: chatId, conversation: chat.conversation.id };
    this.enter([chat.customer, agent], { k: 'conversation', ...about, event: 'agent_assigned', agent });
    chat.members.push(agent);
    this.enter([agent], { k: 'joined', chat: chatId, user: agent, role: 'agent' });
    this.enter([chat.customer], { k: 'member_joined', chat: chatId, user: agent, role: 'agent' });
  }

  leave(chatId: string, user: string): void {
    const chat = this.chat(chatId);
    this.enter(chat.members, { k: 'member_left', chat: chatId, user });
    chat.members = chat.members.filter((member) => member !== user);
  }

  close(chatId: string): void {
    const chat = this.chat(chatId);
    if (!chat.conversation) throw new Error('no conversation');
    chat.conversation = { ...chat.conversation, status: 'closed' };
    const about = { chat: chatId, conversation: chat.conversation.id };
    this.enter(chat.members, { k: 'conversation', ...about, event: 'closed', reason: 'ended_by_agent' });
  }

  post(chatId: string, from: string, content: string, id = this.id(), quote?: string): WireMessage {
    const chat = this.chat(chatId);
    const before = chat.messages.find((message) => message.client_msg_id === id && message.from === from);
    if (before) return before;
    const message: WireMessage = {
      id: this.id(),
      client_msg_id: id,
      chat: chatId,
      conversation: chat.conversation?.id ?? null,
      seq: chat.messages.length + 1,
      category: from === chat.customer ? 'customer' : 'agent',
      style: 'normal',
      kind: 'text',
      content,
      from,
      ...(quote === undefined ? {} : { quote }),
      visibility: 'all',
      created_at: this.clock.now(),
      is_recalled: false,
      is_deleted: false,
      is_read: false,
    };
    chat.messages.push(message);
    this.enter(chat.members, { k: 'message', chat: chatId, m: message });
    return message;
  }

  /** Tells a signal to every device of a user. */
  signal(user: string, frame: ServerFrame): void {
    for (const socket of this.sockets) if (socket.user === user) socket.say(frame);
    for (const poll of this.polls.filter((held) => held.user === user)) poll.answer(false);
  }

  /** Ends every socket, with a farewell or without. */
  dropSockets(bye?: string): void {
    for (const socket of [...this.sockets]) {
      if (bye !== undefined) socket.say({ t: 'bye', code: bye, detail: '' });
      socket.drop();
    }
  }

  feed(user: string): Item[] {
    let feed = this.feeds.get(user);
    if (!feed) this.feeds.set(user, (feed = []));
    return feed;
  }

  texts(chatId: string): (string | null)[] {
    return this.chat(chatId).messages.map((message) => message.content);
  }

  chat(id: string): FakeChat {
    const chat = this.chats.get(id);
    if (!chat) throw new Error(`no chat ${id}`);
    return chat;
  }

  private enter(users: readonly string[], what: object): void {
    for (const user of new Set(users)) {
      const feed = this.feed(user);
      const i = feed.length + 1;
      const item = { t: 'item', i, p: i - 1, pos: `s0c${this.id()}e0`, at: this.clock.now(), ...structuredClone(what) } as unknown as Item;
      feed.push(item);
      if (!this.losing.has(i)) for (const socket of this.sockets) if (socket.user === user && i > socket.after) socket.say(item);
      for (const poll of this.polls.filter((held) => held.user === user)) {
        if (poll.device === this.speaking) {
          this.clock.after(ECHO_WAITS_MS, () => this.polls.includes(poll) && poll.answer(false));
        } else {
          poll.answer(false);
        }
      }
    }
  }

  // What clients say.

  /** Carries an order out; the answer for its sender, if there is one. */
  order(user: string, via: 'socket' | 'poll', frame: ClientFrame): ServerFrame | null {
    this.heard.push({ user, via, frame });
    switch (frame.t) {
      case 'send': {
        const refusal = this.refusals.shift();
        if (refusal) return { t: 'nack', id: frame.id, detail: '', ...refusal };
        const message = this.post(frame.chat, user, frame.content, frame.id, frame.quote);
        const { id, seq, conversation, created_at } = message;
        return { t: 'ack', id: frame.id, message: id, chat: frame.chat, seq, conversation, at: created_at, pos: 's0c1e0' };
      }
      case 'read':
      case 'recall':
      case 'hide':
        return this.change(user, frame);
      case 'ping':
        return { t: 'pong', now: this.clock.now() };
      default:
        return null;
    }
  }

  private change(user: string, frame: Exclude<Order, { t: 'send' }>): ServerFrame | null {
    const chat = this.chat(frame.chat);
    if (frame.t === 'read') {
      if ((chat.reads[user] ?? 0) < frame.seq) {
        chat.reads[user] = frame.seq;
        for (const message of chat.messages) message.is_read ||= message.seq <= frame.seq && message.from !== user;
        this.enter(chat.members, { k: 'read', chat: chat.id, reader: user, up_to_seq: frame.seq });
      }
      return null;
    }
    const message = chat.messages.find(({ id }) => id === frame.message);
    if (!message || (frame.t === 'recall' && message.from !== user)) {
      return { t: 'nack', chat: chat.id, message: frame.message, code: 'not_recallable', detail: '', retry: false };
    }
    if (frame.t === 'recall') Object.assign(message, { is_recalled: true, content: null });
    const readers = frame.t === 'recall' ? chat.members : [user];
    const k = frame.t === 'recall' ? 'recalled' : 'hidden';
    this.enter(readers, { k, chat: chat.id, message: message.id, seq: message.seq, by: user });
    return null;
  }

  openSocket = (_url: string): SocketLike => {
    this.socketTries += 1;
    return new FakeSocket(this);
  };

  fetch = async (url: string, request: HttpRequest): Promise<Response> => {
    const path = url.replace(/^https?:\/\/[^/]+/, '');
    this.requests.push(`${request.method} ${path}`);
    if (this.refuseHttp) throw new TypeError('fetch failed');
    const body = typeof request.body === 'string' ? (JSON.parse(request.body) as Record<string, unknown>) : {};
    if (path.endsWith('/token/refresh')) return this.refresh(request, body);
    const token = request.headers['authorization']?.slice('Bearer '.length) ?? '';
    const user = token.split(':')[0] ?? '';
    if (user === '' || this.spent.has(token)) return json(401, { code: 'expired', detail: '' });
    if (path === '/v1/init') return json(200, this.init(user));
    if (path === '/v1/keepalive') return this.keepalive(user, request, body as unknown as PollRequest);
    if (path === '/v1/sendmessage') return this.sendmessage(user, body);
    const history = /^\/v1\/tenants\/t\/chats\/(\w+)\/messages\?from_seq=(\d+)&limit=(\d+)$/.exec(path);
    if (history) return this.history(history[1] ?? '', Number(history[2]), Number(history[3]));
    const feed = /^\/v1\/tenants\/t\/feed\?after=(\d+)&limit=(\d+)$/.exec(path);
    if (feed) return json(200, { data: this.feed(user).slice(Number(feed[1]), Number(feed[1]) + Number(feed[2])) });
    return json(404, { code: 'no_route', detail: path });
  };

  private refresh(request: HttpRequest, body: { refresh_token?: string }): Response {
    this.refreshKeys.push(request.headers['idempotency-key'] ?? '');
    const [user, generation] = (body.refresh_token ?? '').split(':');
    if (this.signedOut || !user) return json(401, { code: 'invalid_refresh_token', detail: '' });
    const next = this.token(user, Number(generation) + 1);
    return json(200, { user, session: `session-${user}`, access_token: next, expires_in: 900, refresh_token: next });
  }

  private init(user: string): object {
    const chats = [...this.chats.values()].filter((chat) => chat.members.includes(user));
    return {
      user,
      tenant: 't',
      role: 'customer',
      now: this.clock.now(),
      head: this.feed(user).length,
      chats: chats.map((chat) => this.described(chat, user)),
      more_chats: false,
      limits: { content_bytes_max: 64, recall_window_ms: 120_000 },
      nodes: [{ url: '', connections: 1 }],
    };
  }

  private described(chat: FakeChat, user: string): WireChat {
    return {
      chat: chat.id,
      shop: chat.shop,
      customer: chat.customer,
      conversation: chat.conversation,
      last_seq: chat.messages.length,
      read_seq: chat.reads[user] ?? 0,
      unread: 0,
      last_message_at: chat.messages.at(-1)?.created_at ?? null,
    };
  }

  private history(chatId: string, from: number, limit: number): Response {
    const data = this.chat(chatId).messages.slice(from - 1, from - 1 + limit);
    const more = from - 1 + limit < this.chat(chatId).messages.length;
    return json(200, { data, next_seq: more ? from + limit : null, has_more: more });
  }

  private sendmessage(user: string, body: Record<string, unknown>): Response {
    const { bizCode, ...fields } = body;
    if (bizCode === 'session_detail') {
      const chat = this.chats.get(String(fields['chat']));
      return json(200, { bizCode, chat: chat ? this.described(chat, user) : null });
    }
    const { device, ...said } = fields;
    const frame = { t: bizCode === 'message' ? 'send' : bizCode, ...said } as unknown as ClientFrame;
    this.speaking = bizCode === 'message' && typeof device === 'string' ? device : null;
    const answer = this.order(user, 'poll', frame);
    this.speaking = null;
    if (this.loseAnswers) throw new TypeError('connection reset');
    if (answer?.t === 'nack') return json(answer.retry ? 503 : 409, { code: answer.code, detail: answer.detail });
    const { t, ...told } = answer ?? { t: 'ok' };
    return json(200, { bizCode: t, ...told });
  }

  private keepalive(user: string, request: HttpRequest, body: PollRequest): Promise<Response> {
    for (const held of this.polls.filter((poll) => poll.device === body.device)) held.answer(true);
    if (this.hangPolls > 0) {
      this.hangPolls -= 1;
      return new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(new TypeError('aborted'))));
    }
    const feed = this.feed(user);
    // The first poll of a link does not wait.
    if (body.wait_ms === 0) this.hellos.push({ via: 'poll', after: body.after });
    const after = Math.min(body.after ?? feed.length, feed.length);
    return new Promise((resolve, reject) => {
      const done = (superseded: boolean) => {
        this.polls = this.polls.filter((held) => held !== poll);
        timer.cancel();
        const items = superseded ? [] : feed.slice(after).filter((item) => !this.losing.has(item.i));
        const next = superseded ? after : feed.length;
        const current = body.signals === undefined && !superseded ? this.whole(user) : [];
        const events = [...items, ...current].map((frame) => ({ bizCode: 'message', frame }));
        const told = { rs_id: body.rs_id, now: this.clock.now(), head: feed.length, next, signals: 1 };
        resolve(json(200, { ...told, more: false, superseded, events }));
      };
      const poll: Poll = { user, device: body.device, after, signals: body.signals ?? 0, answer: done };
      const timer = this.clock.after(body.wait_ms, () => done(false));
      this.polls.push(poll);
      request.signal.addEventListener('abort', () => {
        this.polls = this.polls.filter((held) => held !== poll);
        reject(new TypeError('aborted'));
      });
      if (feed.length > after || body.wait_ms === 0) done(false);
    });
  }
}

function json(status: number, body: object): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
}
