/**
 * The way over two plain requests, for webviews and networks that break sockets: `keepalive` waits for what comes, `sendmessage`
 * carries one order. Answers of orders become the frames that a socket would have sent.
 */

import { pauseMs } from './backoff.js';
import type { Environment } from './environment.js';
import { ApiError, Http } from './http.js';
import type { AckFrame, ClientFrame, Item, PollAnswer, PollRequest, ServerFrame } from './protocol.js';
import { SignedOutError } from './session.js';
import type { Link, LinkEvents, LinkRequest, Transport } from './transport.js';

/** A poll without an answer is dead this long after the time that the server may hold it. */
const DEAD_AFTER_WAIT_MS = 5_000;
/** Items that one request for a gap may answer. */
const GAP_PAGE = 200;

/** What the order `message` is answered with: the fields of an ack. */
type PostAnswer = Omit<AckFrame, 't'>;

export interface PollOptions {
  environment: Environment;
  /** Stays the same for as long as the client runs. */
  device: string;
  waitMs: () => number;
}

export class PollTransport implements Transport {
  readonly name = 'poll';
  readonly watchesItself = true;

  constructor(private readonly options: PollOptions) {}

  open(request: LinkRequest, events: LinkEvents): Link {
    return new PollLink(this.options, request, events);
  }
}

class PollLink implements Link {
  private readonly http: Http;
  private readonly closing = new AbortController();
  /** Orders other than messages go one after the other. */
  private orders: Promise<void> = Promise.resolve();
  /** Of each message to come the newest text that was not told yet. */
  private readonly growing = new Map<string, ClientFrame>();
  private welcomed = false;
  private polls = 0;
  /** Ends the poll that is held, so that another one asks whether anybody is there. */
  private hurry: () => void = () => undefined;
  private hurried = false;

  constructor(
    private readonly options: PollOptions,
    private readonly request: LinkRequest,
    private readonly events: LinkEvents,
  ) {
    this.http = new Http(options.environment, () => request.base);
    void this.run();
  }

  send(frame: ClientFrame): void {
    if (frame.t === 'ping') {
      this.hurry();
    } else if (frame.t === 'send') {
      void this.carry(frame);
    } else if (frame.t !== 'chunk') {
      this.orders = this.orders.then(() => this.carry(frame));
    } else {
      const waits = this.growing.has(frame.id);
      this.growing.set(frame.id, frame);
      if (!waits) this.orders = this.orders.then(() => this.grow(frame.id));
    }
  }

  close(): void {
    this.closing.abort();
  }

  private get over(): boolean {
    return this.closing.signal.aborted;
  }

  private end(bye: string | null, unauthorized: boolean): void {
    if (this.over) return;
    this.close();
    this.events.ended({ bye, unauthorized });
  }

  private tell(frame: ServerFrame, made = false): void {
    if (!this.over) this.events.frame(frame, made);
  }

  private async run(): Promise<void> {
    let after = this.request.after ?? undefined;
    let signals: number | undefined;
    let superseded = 0;
    while (!this.over) {
      let answer: PollAnswer;
      try {
        // The first answer says that somebody is there, so it does not wait.
        answer = await this.poll(after, signals, this.welcomed ? this.options.waitMs() : 0);
      } catch (error) {
        this.end(null, isOfTheSignIn(error));
        return;
      }
      if (this.over) return;
      if (answer.superseded === true) {
        superseded += 1;
        await this.pause(pauseMs(superseded, this.options.environment.random()));
        continue;
      }
      superseded = 0;
      if (this.welcomed && answer.head < (after ?? 0)) {
        // Another feed than before: the next link begins with a welcome that says so.
        this.end(null, false);
        return;
      }
      this.welcome(answer);
      for (const { frame } of answer.events) {
        if (frame.t === 'bye') {
          this.end(frame.code, false);
          return;
        }
        this.tell(frame);
      }
      // Told with every answer: the server's time, and that it lives.
      this.tell({ t: 'pong', now: answer.now });
      after = answer.next;
      signals = answer.signals;
    }
  }

  /** One poll, and another if its answer does not come. */
  private async poll(after: number | undefined, signals: number | undefined, waitMs: number): Promise<PollAnswer> {
    for (let lost = 0; ; lost += 1) {
      this.polls += 1;
      const body: PollRequest = {
        device: this.options.device,
        ...(after === undefined ? {} : { after }),
        ...(signals === undefined ? {} : { signals }),
        rs_id: `${this.polls}`,
        wait_ms: waitMs,
      };
      const dead = new AbortController();
      this.hurry = () => {
        this.hurried = true;
        dead.abort();
      };
      const watchdog = this.options.environment.after(waitMs + DEAD_AFTER_WAIT_MS, () => dead.abort());
      const forward = () => dead.abort();
      this.closing.signal.addEventListener('abort', forward);
      try {
        const answer = await this.ask<PollAnswer>('/v1/keepalive', body, dead.signal, waitMs + 2 * DEAD_AFTER_WAIT_MS);
        if (answer.rs_id === undefined || answer.rs_id === body.rs_id) return answer;
      } catch (error) {
        if (!dead.signal.aborted || this.over || lost > 0) throw error;
        // Whoever doubts the link does not wait for news.
        if (this.hurried) waitMs = 0;
      } finally {
        this.hurried = false;
        watchdog.cancel();
        this.closing.signal.removeEventListener('abort', forward);
      }
    }
  }

  private welcome(answer: PollAnswer): void {
    if (this.welcomed) return;
    this.welcomed = true;
    this.tell({ t: 'welcome', user: '', tenant: this.request.tenant, head: answer.head, now: answer.now });
  }

  /** Tells how far a text is now: what it was while an earlier order was on its way, nobody needs. */
  private async grow(id: string): Promise<void> {
    const newest = this.growing.get(id);
    this.growing.delete(id);
    if (newest) await this.carry(newest);
  }

  private async carry(frame: ClientFrame): Promise<void> {
    if (this.over || frame.t === 'ping') return;
    try {
      if (frame.t === 'range') {
        await this.range(frame.after, frame.to);
        return;
      }
      const { t, ...fields } = frame;
      // A watch belongs to the device, and a request does not say which one it is. Nor whose poll need not end for a message.
      const device = t === 'watch' || t === 'watch_board' || t === 'send' ? { device: this.options.device } : {};
      const order = { bizCode: t === 'send' ? 'message' : t, ...fields, ...device };
      const answer = await this.ask<PostAnswer>('/v1/sendmessage', order, this.closing.signal);
      if (frame.t === 'send') this.tell({ ...answer, t: 'ack' });
    } catch (error) {
      if (this.over) return;
      if (isOfTheSignIn(error)) {
        this.end(null, true);
      } else if (frame.t === 'typing' || frame.t === 'receive') {
        // The next one tells the same.
        return;
      } else if (error instanceof ApiError) {
        this.tell({ t: 'nack', code: error.code, detail: error.detail, retry: error.retry, ...about(frame) });
      } else {
        this.tell({ t: 'nack', code: 'no_answer', detail: 'the request was lost', retry: true, ...about(frame) }, true);
      }
    }
  }

  /** Reads items again that were missed. */
  private async range(after: number, to: number): Promise<void> {
    let reached = after;
    while (reached < to && !this.over) {
      const limit = Math.min(GAP_PAGE, to - reached);
      const path = `/v1/tenants/${this.request.tenant}/feed?after=${reached}&limit=${limit}`;
      const call = { method: 'GET', path, token: await this.request.token(), signal: this.closing.signal } as const;
      const page = await this.http.once<{ data: Item[] }>(call);
      for (const item of page.data) {
        reached = item.i;
        this.tell(item);
      }
      if (page.data.length === 0) return;
    }
  }

  private async ask<Answer>(path: string, body: unknown, signal: AbortSignal, timeoutMs?: number): Promise<Answer> {
    const token = await this.request.token();
    return this.http.once<Answer>({ method: 'POST', path, body, token, signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
  }

  private async pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.options.environment.after(delayMs, resolve);
      this.closing.signal.addEventListener('abort', () => {
        timer.cancel();
        resolve();
      });
    });
  }
}

function isOfTheSignIn(error: unknown): boolean {
  return error instanceof SignedOutError || (error instanceof ApiError && error.status === 401);
}

/** The fields by which a refusal names its order. */
function about(frame: ClientFrame): { id?: string; chat?: string; message?: string; chunk?: string; after?: number; to?: number } {
  switch (frame.t) {
    case 'send':
      return { id: frame.id };
    case 'read':
      return { chat: frame.chat };
    case 'recall':
    case 'hide':
      return { chat: frame.chat, message: frame.message };
    case 'chunk':
      return { chat: frame.chat, chunk: frame.id };
    case 'range':
      return { after: frame.after, to: frame.to };
    case 'receive':
    case 'typing':
    case 'watch':
    case 'watch_board':
    case 'ping':
      return {};
  }
}
