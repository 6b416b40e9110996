/**
 * Keeps one link to the server: tries the socket first, falls back to polls, tries the socket again, notices silence, waits between
 * tries, and refreshes the sign-in when the server asks for it. It must not know what a frame says, but for the welcome.
 */

import { pauseMs } from './backoff.js';
import type { Environment, Timer } from './environment.js';
import type { ClientFrame, ServerFrame, WelcomeFrame } from './protocol.js';
import { type Session, SignedOutError } from './session.js';
import type { Ending, Link, Transport } from './transport.js';

/** Failures of the socket in a row before polls are tried. */
const SOCKET_TRIES = 2;
/** How often a client that polls tries the socket. */
const SOCKET_AGAIN_MS = 60_000;
/** A welcome that has not come after this long does not come. */
const WELCOME_WITHIN_MS = 10_000;
/** Whoever is there answers a ping within this time. */
const PONG_WITHIN_MS = 5_000;
/** A link that held for so long was a good one; earlier, its end counts as a failure. */
const STABLE_AFTER_MS = 10_000;
/** Clients of a node that stops come back spread over this time. */
const SHUTDOWN_SPREAD_MS = 5_000;
/** Farewells that say that the token is of no use any more. */
const OF_THE_SIGN_IN = new Set(['expired', 'revoked', 'deactivated', 'superseded', 'unauthorized']);

/** How the client stands with the server. */
export type LinkStatus =
  | { state: 'stopped' }
  | { state: 'connecting' }
  | { state: 'online'; via: 'socket' | 'poll' }
  | { state: 'waiting'; untilMs: number }
  | { state: 'signed_out'; code: string };

export interface ConnectionPort {
  environment: Environment;
  session: Session;
  /** None where there are no sockets. */
  socket: Transport | null;
  poll: Transport;
  /** Where to connect; a node that fails is followed by the next. */
  bases: () => readonly string[];
  /** The last index that the device has, 0 before the first item; null for one that wants only what comes from now on. */
  cursor: () => number | null;
  status(status: LinkStatus): void;
  /** A link is there. What the server has not answered on the old one must be said again. */
  up(welcome: WelcomeFrame): void;
  /** No link is there. */
  down(bye: string | null): void;
  frame(frame: ServerFrame): void;
}

interface Attempt {
  transport: Transport;
  link: Link;
  welcomed: boolean;
  since: number;
  deadline: Timer;
}

export class Connection {
  private current: Attempt | null = null;
  /** A socket that is tried while polls carry everything. */
  private probe: Attempt | null = null;
  private running = false;
  private failures = 0;
  private socketFailures = 0;
  private lastTried: 'socket' | 'poll' = 'poll';
  private pollFailed = false;
  private node = 0;
  private retry: Timer | null = null;
  private probing: Timer | null = null;
  private watchdog: Timer | null = null;
  private lastHeard = 0;
  /** When a ping was sent that nothing has answered. */
  private pingedAt: number | null = null;
  private pingAfterMs = 25_000;
  private deadAfterMs = 75_000;

  constructor(private readonly port: ConnectionPort) {}

  start(): void {
    if (this.running) return;
    this.running = true;
    this.connect();
  }

  stop(): void {
    this.running = false;
    this.clear();
    this.port.status({ state: 'stopped' });
  }

  /** Something suggests that the network is back: tries at once instead of waiting. */
  wake(): void {
    if (!this.running) return;
    if (this.retry) this.connect();
    else this.doubt();
  }

  /** Something suggests that the link is dead: asks for a sign of life, and gives the link up when none comes. */
  doubt(): void {
    if (!this.current?.welcomed || this.pingedAt !== null) return;
    this.pingedAt = this.port.environment.now();
    this.send({ t: 'ping' });
    this.watch();
  }

  /** The network is gone, and every link with it, whatever it seems to be. */
  offline(): void {
    this.reconnect();
  }

  get online(): boolean {
    return this.current?.welcomed === true;
  }

  /** Gives a frame to the link; false when there is none. */
  send(frame: ClientFrame): boolean {
    if (!this.current?.welcomed) return false;
    this.current.link.send(frame);
    return true;
  }

  /** Drops the link and makes another one, as if it had broken. */
  reconnect(): void {
    if (this.current) this.lost(this.current, { bye: null, unauthorized: false });
  }

  private choose(): Transport {
    const { socket, poll } = this.port;
    if (!socket) return poll;
    if (this.socketFailures < SOCKET_TRIES) return socket;
    // When polls fail, too, the socket was not to blame.
    return this.lastTried === 'poll' && this.pollFailed ? socket : poll;
  }

  private connect(): void {
    this.clear();
    const transport = this.choose();
    this.lastTried = transport.name;
    this.port.status({ state: 'connecting' });
    this.current = this.open(transport);
  }

  private open(transport: Transport): Attempt {
    const { environment, session } = this.port;
    const bases = this.port.bases();
    const attempt: Attempt = {
      transport,
      welcomed: false,
      since: environment.now(),
      deadline: environment.after(WELCOME_WITHIN_MS, () => this.lost(attempt, { bye: null, unauthorized: false })),
      link: { send: () => undefined, close: () => undefined },
    };
    const request = {
      base: bases[this.node % bases.length] ?? '',
      tenant: session.tenant,
      token: () => session.accessToken(),
      after: this.port.cursor(),
    };
    attempt.link = transport.open(request, {
      frame: (frame, made) => this.heard(attempt, frame, made),
      ended: (ending) => this.lost(attempt, ending),
    });
    return attempt;
  }

  private heard(attempt: Attempt, frame: ServerFrame, made = false): void {
    if (attempt !== this.current && attempt !== this.probe) return;
    if (!attempt.welcomed) {
      if (frame.t !== 'welcome') return;
      attempt.welcomed = true;
      attempt.deadline.cancel();
      this.welcomed(attempt, frame);
    }
    if (!made) {
      this.lastHeard = this.port.environment.now();
      this.pingedAt = null;
    }
    this.port.frame(frame);
  }

  private welcomed(attempt: Attempt, welcome: WelcomeFrame): void {
    if (attempt === this.probe) {
      this.current?.link.close();
      this.current = attempt;
      this.probe = null;
    }
    attempt.since = this.port.environment.now();
    this.pingAfterMs = welcome.ping_after_ms ?? this.pingAfterMs;
    this.deadAfterMs = welcome.dead_after_ms ?? this.deadAfterMs;
    this.lastHeard = attempt.since;
    this.pingedAt = null;
    this.watch();
    this.planProbe(attempt.transport);
    this.pollFailed = false;
    this.port.status({ state: 'online', via: attempt.transport.name });
    this.port.up(welcome);
  }

  private planProbe(transport: Transport): void {
    this.probing?.cancel();
    this.probing = null;
    const { environment, socket } = this.port;
    if (transport.name === 'socket' || !socket) return;
    // Polls that failed a moment ago say that the server was gone, not that sockets are broken here.
    const delay = this.pollFailed ? pauseMs(1, environment.random()) : SOCKET_AGAIN_MS;
    this.probing = environment.after(delay, () => {
      this.probing = null;
      this.probe = this.open(socket);
    });
  }

  /** Asks a silent link for a sign of life, and gives it up when none comes. */
  private watch(): void {
    this.watchdog?.cancel();
    this.watchdog = null;
    const attempt = this.current;
    if (!attempt || (attempt.transport.watchesItself && this.pingedAt === null)) return;
    const now = this.port.environment.now();
    const silence = now - this.lastHeard;
    // Timers stand still while a machine sleeps: what was silent for so long is not asked any more.
    if (silence >= this.deadAfterMs || (this.pingedAt !== null && now - this.pingedAt >= PONG_WITHIN_MS)) {
      this.lost(attempt, { bye: null, unauthorized: false });
      return;
    }
    if (silence >= this.pingAfterMs && this.pingedAt === null) {
      this.pingedAt = now;
      attempt.link.send({ t: 'ping' });
    }
    const next = this.pingedAt === null ? this.pingAfterMs - silence : this.pingedAt + PONG_WITHIN_MS - now;
    this.watchdog = this.port.environment.after(next, () => this.watch());
  }

  private lost(attempt: Attempt, ending: Ending): void {
    if (attempt !== this.current && attempt !== this.probe) return;
    attempt.deadline.cancel();
    attempt.link.close();
    if (attempt === this.probe) {
      this.probe = null;
      if (this.current) this.planProbe(this.current.transport);
      return;
    }
    this.current = null;
    const held = attempt.welcomed && this.port.environment.now() - attempt.since >= STABLE_AFTER_MS;
    const broke = ending.bye === null && !ending.unauthorized;
    if (held) this.failures = 0;
    if (attempt.transport.name === 'socket') this.socketFailures = held ? 0 : this.socketFailures + (broke ? 1 : 0);
    if (!attempt.welcomed && attempt.transport.name === 'poll') this.pollFailed = true;
    if (attempt.welcomed) this.port.down(ending.bye);
    void this.recover(ending);
  }

  private async recover(ending: Ending): Promise<void> {
    const { environment } = this.port;
    let pause = ending.bye === 'shutdown' ? environment.random() * SHUTDOWN_SPREAD_MS : pauseMs(this.failures, environment.random());
    this.failures += 1;
    if (ending.unauthorized || OF_THE_SIGN_IN.has(ending.bye ?? '')) {
      // A fresh token is as good as a fresh start, once.
      if (this.failures <= 1) pause = 0;
      if (!(await this.refreshed())) return;
    } else {
      this.node += 1;
    }
    if (!this.running || this.current || this.retry) return;
    this.port.status({ state: 'waiting', untilMs: environment.now() + pause });
    this.retry = environment.after(pause, () => this.connect());
  }

  private async refreshed(): Promise<boolean> {
    const { session } = this.port;
    try {
      await session.refresh(await session.accessToken());
    } catch (error) {
      if (error instanceof SignedOutError) {
        this.signedOut(error);
        return false;
      }
      // The server could not be asked; the next try finds out.
    }
    return this.running;
  }

  private signedOut(error: SignedOutError): void {
    if (!this.running) return;
    this.running = false;
    this.clear();
    this.port.status({ state: 'signed_out', code: error.code });
  }

  private clear(): void {
    for (const attempt of [this.current, this.probe]) {
      attempt?.deadline.cancel();
      attempt?.link.close();
    }
    const wasUp = this.current?.welcomed === true;
    this.current = null;
    this.probe = null;
    for (const timer of [this.retry, this.probing, this.watchdog]) timer?.cancel();
    this.retry = this.probing = this.watchdog = null;
    if (wasUp) this.port.down(null);
  }
}
