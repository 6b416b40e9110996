/** A world for unit tests: time that moves when it is told to, and chance that is always the same. */

import type { Environment, HttpRequest, SocketLike, Timer } from '../src/client/index.js';

interface Planned {
  at: number;
  nth: number;
  run: () => void;
}

export class FakeClock {
  private time = 1_720_000_000_000;
  private planned: Planned[] = [];
  private count = 0;
  private seed = 1;
  private readonly network = new Set<(there: boolean) => void>();

  now(): number {
    return this.time;
  }

  after(delayMs: number, run: () => void): Timer {
    const planned = { at: this.time + Math.max(0, delayMs), nth: (this.count += 1), run };
    this.planned.push(planned);
    return { cancel: () => void (this.planned = this.planned.filter((other) => other !== planned)) };
  }

  /** Lets so much time pass, and everything happen that was planned for it. */
  async pass(delayMs: number): Promise<void> {
    await settle();
    const until = this.time + delayMs;
    for (;;) {
      const next = this.planned.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at || one.nth - other.nth)[0];
      if (!next) break;
      this.planned = this.planned.filter((other) => other !== next);
      this.time = Math.max(this.time, next.at);
      next.run();
      await settle();
    }
    this.time = until;
  }

  /** The machines of this world lose their network, or have one again. */
  tellNetwork(there: boolean): void {
    for (const listener of [...this.network]) listener(there);
  }

  environment(
    fetch: (url: string, request: HttpRequest) => Promise<Response>,
    openSocket: ((url: string) => SocketLike) | null,
  ): Environment {
    return {
      now: () => this.now(),
      after: (delayMs, run) => this.after(delayMs, run),
      random: () => 0.5,
      randomBytes: (count) => Uint8Array.from({ length: count }, () => (this.seed = (this.seed * 48_271) % 0x7fffffff) & 0xff),
      fetch,
      openSocket,
      onNetwork: (listener) => {
        this.network.add(listener);
        return () => this.network.delete(listener);
      },
    };
  }
}

/** Lets everything happen that needs no time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
