/** Who waits in the agent's groups, to be picked where a queue is one of which agents pick. */

import { ApiError, type Client } from '../client/index.js';
import { type Entry, byId, h, keep } from '../page/dom.js';
import { span, speaker } from '../page/language.js';
import { notice, trouble } from '../page/notice.js';
import { nameOfUser } from './names.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
/** While somebody waits, the queue is read again so often: no signal says who. */
const READ_EVERY_MS = 3_000;
/** Most that are shown: whoever is behind them is not picked yet. */
const SHOWN_MAX = 20;

interface Waiter {
  conversation: string;
  group: string;
  enqueued_at: number;
}

export class Waiting {
  private waiters: Waiter[] = [];
  private reading = false;
  /** When it is read next, by the time that the page is open. */
  private dueAt = 0;

  constructor(private readonly client: Client) {}

  /** Shows who waits, and reads them when it is time; called often. */
  update(someWait: boolean): void {
    if (!someWait) this.waiters = [];
    if (someWait && !this.reading && performance.now() >= this.dueAt && this.client.status.state === 'online') void this.read();
    const list = byId('waiting', HTMLElement);
    byId('waiting-title', HTMLElement).hidden = this.waiters.length === 0;
    keep(list, this.waiters.slice(0, SHOWN_MAX).map((waiter) => this.item(waiter)));
  }

  private async read(): Promise<void> {
    this.reading = true;
    try {
      this.waiters = (await this.client.api.in<{ data: Waiter[] }>('GET', 'queue')).data;
    } catch {
      // What is shown stays, and it is asked for again.
    } finally {
      this.reading = false;
      this.dueAt = performance.now() + READ_EVERY_MS;
    }
  }

  private item(waiter: Waiter): Entry {
    const wait = say('waits', { span: span(this.client.serverNow() - waiter.enqueued_at) });
    const name = say('waiter', { name: nameOfUser(waiter.conversation) });
    const pick = () => void this.pick(waiter).catch(trouble);
    const make = () =>
      h(
        'li',
        { class: 'line', 'data-conversation': waiter.conversation },
        h('span', { class: 'grow' }, `${name} · ${waiter.group}`),
        h('span', { class: 'wait' }, wait),
        h('button', { type: 'button', click: pick }, say('pick')),
      );
    return { key: waiter.conversation, signature: wait, make };
  }

  private async pick(waiter: Waiter): Promise<void> {
    try {
      await this.client.api.pick(waiter.conversation);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'not_picked')) throw error;
      notice(say('not_picked'));
    }
    this.waiters = this.waiters.filter((other) => other !== waiter);
    this.dueAt = 0;
  }
}
