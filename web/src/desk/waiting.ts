/** Who waits in the agent's groups, to be picked where a queue is one of which agents pick. */

import { ApiError, type Client } from '../client/index.js';
import { byId, h, say as put } from '../page/dom.js';
import { span, speaker } from '../page/language.js';
import { notice } from '../page/notice.js';
import { nameOfUser } from './names.js';
import { trouble } from './reasons.js';
import { type Row, Rows } from './rows.js';
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
  private readonly rows: Rows<Waiter>;

  constructor(private readonly client: Client) {
    this.rows = new Rows(byId('waiting', HTMLElement), ({ conversation }) => conversation, (waiter) => this.row(waiter));
  }

  /** Shows who waits, and reads them when it is time; called often. */
  update(someWait: boolean): void {
    if (!someWait) this.waiters = [];
    if (someWait && !this.reading && performance.now() >= this.dueAt && this.client.status.state === 'online') void this.read();
    const count = this.waiters.length;
    byId('waiting-title', HTMLElement).hidden = count === 0;
    const more = () => h('li', { class: 'dim more' }, say('more_wait', { shown: SHOWN_MAX, count }));
    const last = count > SHOWN_MAX ? [{ key: 'more', signature: String(count), make: more }] : [];
    this.rows.show(this.waiters.slice(0, SHOWN_MAX), last);
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

  private row({ conversation, group }: Waiter): Row<Waiter> {
    const name = say('waiter', { name: nameOfUser(conversation) });
    const wait = h('span', { class: 'wait' });
    const pick = h('button', { type: 'button', click: () => void this.pick(conversation).catch(trouble) }, say('pick'));
    const words = h('div', { class: 'grow' }, h('div', {}, name), h('div', { class: 'line' }, h('span', { class: 'dim' }, group), wait));
    const element = h('li', { class: 'line', 'data-conversation': conversation }, words, pick);
    const show = ({ enqueued_at }: Waiter) => put(wait, say('waits', { span: span(this.client.serverNow() - enqueued_at) }));
    return { element, show };
  }

  private async pick(conversation: string): Promise<void> {
    try {
      await this.client.api.pick(conversation);
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'not_picked')) throw error;
      notice(say('not_picked'));
    }
    this.waiters = this.waiters.filter((other) => other.conversation !== conversation);
    this.dueAt = 0;
  }
}
