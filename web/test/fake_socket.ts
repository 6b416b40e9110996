/** The sockets of the fake server. */

import type { ClientFrame, ServerFrame, SocketLike } from '../src/client/index.js';
import type { FakeServer } from './fake_server.js';

type Hello = { t: 'hello'; token: string; after?: number };

/** One end of a socket. What is said arrives a moment later, as on a wire. */
export class FakeSocket implements SocketLike {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  user: string | null = null;
  /** Nothing up to here is told on this link, whatever the feed holds by now. */
  after = 0;
  private isOpen = true;

  constructor(private readonly server: FakeServer) {
    queueMicrotask(() => {
      if (server.refuseSockets) this.drop();
      else this.onopen?.();
    });
  }

  send(text: string): void {
    if (!this.isOpen) throw new Error('the socket is closed');
    const frame = JSON.parse(text) as ClientFrame | Hello;
    queueMicrotask(() => this.heard(frame));
  }

  close(): void {
    this.isOpen = false;
    this.server.sockets.delete(this);
  }

  drop(): void {
    if (!this.isOpen) return;
    this.close();
    queueMicrotask(() => this.onclose?.({ code: 1006 }));
  }

  say(frame: ServerFrame): void {
    const text = JSON.stringify(frame);
    if (!this.server.silentSockets) queueMicrotask(() => this.onmessage?.({ data: text }));
  }

  private heard(frame: ClientFrame | Hello): void {
    if (!this.isOpen) return;
    if (frame.t === 'hello') {
      this.hello(frame);
    } else if (this.user !== null && frame.t === 'range') {
      this.server.heard.push({ user: this.user, via: 'socket', frame });
      if (this.server.ignoreRanges > 0) this.server.ignoreRanges -= 1;
      else for (const item of this.server.feed(this.user).slice(frame.after, frame.to)) this.say(item);
    } else if (this.user !== null) {
      const answer = this.server.order(this.user, 'socket', frame);
      if (answer && !this.server.loseAnswers) this.say(answer);
    }
  }

  private hello(frame: Hello): void {
    if (this.server.spent.has(frame.token)) {
      this.say({ t: 'bye', code: 'expired', detail: '' });
      this.drop();
      return;
    }
    this.user = frame.token.split(':')[0] ?? '';
    this.server.hellos.push({ via: 'socket', after: frame.after });
    const feed = this.server.feed(this.user);
    const after = frame.after === 0 && this.server.zeroMeansNow ? undefined : frame.after;
    this.after = after ?? 0;
    this.say({ t: 'welcome', user: this.user, tenant: 't', head: feed.length, now: this.server.clock.now() });
    for (const item of feed.slice(after ?? feed.length)) this.say(item);
    for (const signal of this.server.whole(this.user)) this.say(signal);
    this.server.sockets.add(this);
  }
}
