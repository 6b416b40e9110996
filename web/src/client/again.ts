/** Says again, after a pause, what the server could not do just now. It must not know what is said. */

import { pauseMs } from './backoff.js';
import type { Environment, Timer } from './environment.js';

export class Again {
  private readonly planned = new Map<string, { refusals: number; timer: Timer }>();

  constructor(private readonly environment: Environment) {}

  /** It was refused for now: says it after a pause, which grows from refusal to refusal. */
  later(key: string, say: () => void): void {
    const before = this.planned.get(key);
    before?.timer.cancel();
    const refusals = (before?.refusals ?? 0) + 1;
    const timer = this.environment.after(pauseMs(refusals - 1, this.environment.random()), say);
    this.planned.set(key, { refusals, timer });
  }

  /** It is done, or not wanted any more. */
  done(key: string): void {
    this.planned.get(key)?.timer.cancel();
    this.planned.delete(key);
  }

  /** The link is gone: on the next one everything open is said anyway. */
  clear(): void {
    for (const key of [...this.planned.keys()]) this.done(key);
  }
}
