/**
 * The client: one signed-in device. Puts the parts together and offers what a page or an app does; the parts know nothing of each other.
 */

import { Again } from './again.js';
import { Api } from './api.js';
import { Beginnings } from './beginning.js';
import { Changes } from './changes.js';
import { Answer, type Growing } from './chunks.js';
import { Connection, type LinkStatus } from './connection.js';
import { type Environment, realEnvironment } from './environment.js';
import { FeedCursor } from './feed.js';
import { Gaps } from './gaps.js';
import { ApiError, Http } from './http.js';
import { Ids } from './ids.js';
import { Marks } from './marks.js';
import type { Beginning, ClientOptions } from './options.js';
import { type OutgoingMessage, Outbox } from './outbox.js';
import { PollTransport } from './poll.js';
import {
  DEFAULT_LIMITS,
  type BoardFrame,
  type ClientFrame,
  type Draft,
  type Init,
  type Item,
  type Limits,
  type ServerFrame,
  type Visibility,
  type WelcomeFrame,
} from './protocol.js';
import { Reader } from './reader.js';
import { Receipts } from './receipts.js';
import type { Session } from './session.js';
import { Signals } from './signals.js';
import { SocketTransport } from './socket.js';
import { Snapshots } from './snapshot.js';
import { type State, applyAck, applyItem, applyQueue, applyUnread, emptyState, isThere } from './state.js';

export class Client {
  readonly session: Session;
  private readonly environment: Environment;
  /** Requests with this sign-in. */
  readonly api: Api;
  private readonly begin: Beginning;
  private readonly base: string;
  private readonly beginnings: Beginnings;
  private readonly connection: Connection;
  private readonly outbox: Outbox;
  private readonly feed = new FeedCursor(0);
  private readonly again: Again;
  private readonly gaps: Gaps;
  private readonly marks: Marks;
  private readonly signals: Signals;
  private readonly reader: Reader;
  private readonly receipts: Receipts;
  private readonly snapshots: Snapshots;
  private readonly ids: Ids;
  private readonly changes = new Changes();
  private readonly itemListeners = new Set<(item: Item) => void>();
  private known: State;
  private linkStatus: LinkStatus = { state: 'stopped' };
  private told: Limits = DEFAULT_LIMITS;
  private nodes: string[];
  private clockOffsetMs = 0;
  private stopped = false;
  private unlisten: () => void = () => undefined;
  /** The state was begun anew, and no link has borne it out yet. */
  private begunAnew = false;
  private warnings: unknown[] = [];

  constructor(options: ClientOptions) {
    const { begin, session, store } = options;
    const environment = (this.environment = options.environment ?? realEnvironment());
    this.session = session;
    this.begin = begin;
    this.base = (options.base ?? '').replace(/\/$/, '');
    this.nodes = [this.base];
    this.ids = new Ids(environment, () => this.serverNow());
    this.api = new Api(new Http(environment, () => this.base), options.session, this.ids);
    this.known = emptyState(options.session.user);
    const changed = () => this.changed();
    const doubt = () => this.connection.doubt();
    const send = (frame: ClientFrame) => this.connection.send(frame);
    const failed = (error: unknown) => this.warn(error);
    const serverNow = () => this.serverNow();
    this.outbox = new Outbox({ environment, store, ids: this.ids, now: serverNow, send, doubt, changed, storeFailed: failed });
    this.gaps = new Gaps({ environment, feed: this.feed, send });
    const again = (this.again = new Again(environment));
    this.marks = new Marks({ environment, again, send });
    const known = (chat: string, user: string, id: string) => isThere(this.known, chat, user, id);
    this.signals = new Signals({ environment, again, me: options.session.user, send, changed, isThere: known });
    this.receipts = new Receipts({ environment, again, cursor: () => this.feed.index, send });
    this.snapshots = new Snapshots({ environment, store, now: () => ({ cursor: this.feed.index, state: this.known }), failed });
    this.beginnings = new Beginnings({
      environment,
      api: this.api,
      snapshots: this.snapshots,
      begin,
      user: session.user,
      status: (status) => this.setStatus(status),
      told: (init) => this.takeInit(init),
      take: (state, cursor) => this.take(state, cursor),
    });
    this.reader = new Reader({ state: () => this.known, api: this.api, changed: () => this.learned(), failed });
    this.connection = new Connection({
      environment,
      session: options.session,
      socket: environment.openSocket ? new SocketTransport(environment.openSocket) : null,
      poll: new PollTransport({ environment, device: this.ids.next(), waitMs: () => this.told.poll_wait_ms }),
      bases: () => this.nodes,
      cursor: () => this.feed.index,
      status: (status) => this.setStatus(status),
      up: (welcome) => this.up(welcome),
      down: (bye) => this.down(bye),
      frame: (frame) => this.heard(frame),
    });
  }

  // What a page shows.

  /** Everything that is known. It changes in place; whoever subscribed is told. */
  get state(): Readonly<State> {
    return this.known;
  }
  get status(): LinkStatus {
    return this.linkStatus;
  }
  get limits(): Limits {
    return this.told;
  }
  /** The last index that was applied. */
  get cursor(): number {
    return this.feed.index;
  }
  /** The server's clock, as far as it is known. */
  serverNow(): number {
    return this.environment.now() + this.clockOffsetMs;
  }
  /** Messages that were not acknowledged, of a chat or of all, in the order of writing. */
  outgoing(chat?: string): OutgoingMessage[] {
    return this.outbox.list().filter((message) => chat === undefined || message.chat === chat);
  }
  unread(chat: string): number {
    return this.known.unread[chat] ?? 0;
  }
  /** Whether anybody else writes in a chat right now. */
  isTyping(chat: string): boolean {
    return this.signals.typing.in(chat).length > 0;
  }
  /** What robots are writing in a chat right now. */
  growing(chat: string): Growing[] {
    return this.signals.chunks.in(chat);
  }
  isOnline(user: string): boolean | null {
    return this.signals.isOnline(user);
  }
  /** How a watched group stands; null until it was told. */
  board(group: string): BoardFrame | null {
    return this.signals.board(group);
  }
  /** What went wrong beside the way: `StoreError` for a store that is full, for example. */
  get troubles(): readonly unknown[] {
    return this.warnings;
  }

  /** Tells of every change, several at once together. Answers how to stop that. */
  subscribe(listener: () => void): () => void {
    return this.changes.subscribe(listener);
  }
  /** Tells of every item of the feed when it has been applied. */
  onItem(listener: (item: Item) => void): () => void {
    this.itemListeners.add(listener);
    return () => this.itemListeners.delete(listener);
  }

  // What a page does.

  /** Begins. Returns when the first state is there, which needs the server when lists come first. */
  async start(): Promise<void> {
    await this.outbox.load();
    this.unlisten = this.environment.onNetwork((there) => (there ? this.connection.wake() : this.connection.offline()));
    await this.beginnings.first();
    this.connect();
  }

  /** Ends: nothing is sent any more, and what must survive is in the store. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.unlisten();
    this.beginnings.stop();
    this.connection.stop();
    this.gaps.stop();
    this.marks.stop();
    await Promise.all([this.snapshots.finish(), this.outbox.settled()]);
  }

  /** Something suggests that the network is back, or the page is looked at again. */
  wake(): void {
    this.connection.wake();
  }
  /** Makes sure that the link is alive. */
  doubt(): void {
    this.connection.doubt();
  }

  /** Takes a message. It is sent as soon as possible, also after a restart, and posted once. */
  async send(chat: string, draft: Draft, id = this.ids.next()): Promise<OutgoingMessage> {
    const bytes = new TextEncoder().encode(draft.content).length;
    if (bytes > this.told.content_bytes_max) {
      throw new ApiError(413, 'message_too_long', `content has ${bytes} bytes, at most ${this.told.content_bytes_max}`);
    }
    this.signals.typing.stopped(chat);
    return this.outbox.add(chat, draft, id);
  }
  /** Begins an answer that the others see growing: for those who are in a chat as its robot. */
  answer(chat: string, visibility: Visibility = 'all'): Answer {
    const id = this.ids.next();
    const about = { t: 'chunk', chat, id, ...(visibility === 'all' ? {} : { visibility }) } as const;
    const tell = (content: string) => this.connection.send({ ...about, content });
    return new Answer(id, { environment: this.environment, tell, post: (draft) => this.send(chat, draft, id) }, visibility);
  }
  /** Sends a failed message again. */
  async sendAgain(id: string): Promise<void> {
    await this.outbox.again(id);
  }
  discard(id: string): void {
    this.outbox.discard(id);
  }

  /** Marks a chat read up to a place; without one, up to the last message. */
  markRead(chat: string, seq = this.known.chats[chat]?.lastSeq ?? 0): void {
    if (seq > (this.known.chats[chat]?.readSeq ?? 0)) this.receipts.read(chat, seq);
  }
  /** Takes a message of one's own back. */
  async recall(chat: string, message: string): Promise<void> {
    return this.marks.order('recall', chat, message);
  }
  /** Removes a message from one's own sight, on all of one's devices. */
  async hide(chat: string, message: string): Promise<void> {
    return this.marks.order('hide', chat, message);
  }
  /** A key was pressed in a chat; or what was being written there was given up. */
  typed(chat: string, isSomething = true): void {
    this.signals.typing[isSomething ? 'pressed' : 'stopped'](chat);
  }
  /** Follows who of these is online; replaces whom it followed before. */
  watch(users: string[]): void {
    this.signals.watch(users);
  }
  /** Follows how these groups stand; replaces those before. */
  watchBoards(groups: string[]): void {
    this.signals.watchBoards(groups);
  }

  /** Makes sure that the last messages of a chat are known. */
  async open(chat: string): Promise<void> {
    return this.reader.open(chat);
  }
  /** Reads messages before those that are known; answers whether there are more. */
  async older(chat: string): Promise<boolean> {
    return this.reader.older(chat);
  }

  // What happens.

  private takeInit(init: Init): void {
    this.told = { ...DEFAULT_LIMITS, ...init.limits };
    if (init.nodes?.length) this.nodes = init.nodes.map((node) => (node.url === '' ? this.base : node.url.replace(/\/$/, '')));
    this.tellTime(init.now);
  }

  private take(state: State, cursor: number): void {
    this.known = state;
    this.feed.restart(cursor);
    this.changed();
  }

  /** Follows the feed, unless the sign-in is over or nobody wants it any more. */
  private connect(): void {
    if (!this.stopped && this.linkStatus.state !== 'signed_out') this.connection.start();
    this.changed();
  }

  /** The server's feed is another one than before, for example because it was restored from a backup. */
  private async beginAnew(head: number): Promise<void> {
    this.connection.stop();
    // Lists that know of more than a link does were told by another node: once is enough.
    if (this.begunAnew) this.feed.restart(head);
    else await this.beginnings.anew().catch((error: unknown) => this.warn(error));
    this.begunAnew = true;
    this.connect();
  }

  private up(welcome: WelcomeFrame): void {
    this.tellTime(welcome.now);
    if (welcome.head < this.feed.index) {
      void this.beginAnew(welcome.head);
      return;
    }
    this.begunAnew = false;
    this.feed.expect(welcome.head);
    this.gaps.linkUp();
    this.receipts.linkUp();
    this.signals.linkUp();
    this.marks.linkUp();
    this.outbox.linkLost(null);
    this.outbox.pump();
    this.reader.describe();
  }

  private down(bye: string | null): void {
    this.outbox.linkLost(bye);
    this.gaps.stop();
    this.again.clear();
    this.signals.linkLost();
    this.receipts.linkLost();
  }

  private heard(frame: ServerFrame): void {
    switch (frame.t) {
      case 'item':
        this.items(this.feed.take(frame));
        this.gaps.check();
        return;
      case 'ack':
        this.acknowledged(frame);
        return;
      case 'nack':
        if (frame.id !== undefined) this.outbox.refused(frame);
        else if (frame.message !== undefined) this.marks.refused(frame);
        else if (frame.to !== undefined) this.gaps.refused();
        else if (frame.chat === undefined) this.signals.refused(frame);
        else if (frame.chunk === undefined) this.receipts.refused(frame.chat, frame);
        return;
      case 'unread':
        applyUnread(this.known, frame, this.feed.known);
        break;
      case 'queue':
        applyQueue(this.known, frame);
        break;
      case 'pong':
        this.tellTime(frame.now);
        return;
      case 'welcome':
      case 'bye':
        return;
      default:
        this.signals.heard(frame);
        return;
    }
    this.changed();
  }

  private acknowledged(ack: ServerFrame & { t: 'ack' }): void {
    const sent = this.outbox.get(ack.id);
    if (!sent) return;
    applyAck(this.known, ack, sent.draft);
    this.outbox.acknowledged(ack.id);
  }

  private items(items: readonly Item[]): void {
    if (items.length === 0) return;
    for (const item of items) {
      applyItem(this.known, item);
      if (item.k === 'message' && item.m.from === this.known.me) this.outbox.acknowledged(item.m.client_msg_id);
      this.signals.applied(item);
      if (item.k === 'recalled' || item.k === 'hidden') this.marks.done(item.k, item.message);
      if (item.k === 'read' && item.reader === this.known.me) this.receipts.shown(item);
      for (const listener of this.itemListeners) listener(item);
    }
    this.receipts.arrived();
    this.reader.describe();
    this.learned();
  }

  /** The state is different, and an app keeps it. */
  private learned(): void {
    if (this.begin === 'feed') this.snapshots.plan();
    this.changed();
  }

  private tellTime(now: number): void {
    this.clockOffsetMs = now - this.environment.now();
  }

  private setStatus(status: LinkStatus): void {
    this.linkStatus = status;
    this.changed();
  }

  private warn(error: unknown): void {
    this.warnings = [...this.warnings.slice(-9), error];
    this.changed();
  }

  private changed(): void {
    this.changes.tell();
  }
}
