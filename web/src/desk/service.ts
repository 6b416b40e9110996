/** Whether the agent takes conversations, and how many wait for somebody. */

import type { Client } from '../client/index.js';
import { byId, say as put } from '../page/dom.js';
import { speaker } from '../page/language.js';
import { trouble } from '../page/notice.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
type Service = 'started' | 'paused' | 'stopped';

interface Account {
  display_name: string | null;
  service: Service | null;
}

/** How often the queue is counted without a cause. */
const COUNT_EVERY_MS = 15_000;

export class ServiceSwitch {
  private account: Account | null = null;
  private waiting: number | null = null;
  private readonly buttons: HTMLButtonElement[];

  constructor(private readonly client: Client) {
    this.buttons = [...byId('service', HTMLElement).querySelectorAll('button')];
    for (const button of this.buttons) button.addEventListener('click', () => void this.change(button.value as Service).catch(trouble));
  }

  async begin(): Promise<void> {
    this.account = await this.client.api.in<Account>('GET', 'me');
    await this.countWaiting();
    setInterval(() => document.visibilityState === 'visible' && void this.countWaiting(), COUNT_EVERY_MS);
  }

  update(): void {
    const service = this.account?.service ?? null;
    put(byId('who', HTMLElement), this.account?.display_name ?? say('title'));
    for (const button of this.buttons) {
      button.disabled = service === null;
      button.setAttribute('aria-pressed', String(button.value === service));
    }
    put(byId('hint', HTMLElement), say(service === 'started' ? 'hint_started' : 'hint_other'));
    put(byId('board', HTMLElement), this.waiting === null ? '' : say('waiting_now', { count: this.waiting }));
  }

  /** Counts who waits in the groups of this agent. */
  async countWaiting(): Promise<void> {
    try {
      const queue = await this.client.api.in<{ data: unknown[] }>('GET', 'queue');
      this.waiting = queue.data.length;
    } catch {
      // Shown without the number; the next count comes soon.
      this.waiting = null;
    }
    this.update();
  }

  private async change(status: Service): Promise<void> {
    await this.client.api.in('PUT', 'me/service', { status });
    if (this.account) this.account.service = status;
    this.update();
    await this.countWaiting();
  }
}
