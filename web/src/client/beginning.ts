/**
 * How a client comes by its first state, and by another one when the server's feed is another than before: lists from init, or what
 * an earlier run has kept. It must not know what the state is used for.
 */

import type { Api } from './api.js';
import { pauseMs } from './backoff.js';
import type { LinkStatus } from './connection.js';
import type { Environment } from './environment.js';
import { mayPass } from './http.js';
import type { Beginning } from './options.js';
import type { Init } from './protocol.js';
import { SignedOutError } from './session.js';
import type { Snapshots } from './snapshot.js';
import { type State, applyListed, emptyState } from './state.js';

export interface BeginningsPort {
  environment: Environment;
  api: Api;
  snapshots: Snapshots;
  begin: Beginning;
  /** Whose state it is. */
  user: string;
  status(status: LinkStatus): void;
  /** What init says besides the lists. */
  told(init: Init): void;
  /** From here on the feed is followed. */
  take(state: State, cursor: number): void;
}

export class Beginnings {
  private stopped = false;

  constructor(private readonly port: BeginningsPort) {}

  /** The first state of this run. */
  async first(): Promise<void> {
    if (this.port.begin === 'list') return this.lists();
    const kept = await this.port.snapshots.read(this.port.user);
    if (kept) this.port.take(kept.state, kept.cursor);
  }

  /** A state that owes nothing to what was known. */
  async anew(): Promise<void> {
    if (this.port.begin === 'list') return this.lists();
    this.port.take(emptyState(this.port.user), 0);
    this.port.snapshots.plan();
  }

  stop(): void {
    this.stopped = true;
  }

  /** Asks for the lists until they come, or the sign-in is over. */
  private async lists(): Promise<void> {
    const { api, environment, status } = this.port;
    for (let attempt = 0; !this.stopped; attempt += 1) {
      try {
        status({ state: 'connecting' });
        const init = await api.call<Init>('POST', '/v1/init', {});
        const state = emptyState(init.user);
        for (const chat of init.chats) applyListed(state, chat);
        this.port.told(init);
        this.port.take(state, init.head);
        return;
      } catch (error) {
        if (error instanceof SignedOutError) {
          status({ state: 'signed_out', code: error.code });
          this.stopped = true;
          return;
        }
        if (!mayPass(error)) throw error;
        const pause = pauseMs(attempt, environment.random());
        status({ state: 'waiting', untilMs: environment.now() + pause });
        await new Promise<void>((resolve) => environment.after(pause, resolve));
      }
    }
  }
}
