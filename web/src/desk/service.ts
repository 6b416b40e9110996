/** Whether the agent takes conversations, and how their groups stand: who waits, since when, and how many serve. */

import type { BoardFrame, Client } from '../client/index.js';
import { type Entry, byId, h, keep, say as put } from '../page/dom.js';
import { span, speaker } from '../page/language.js';
import { trouble } from '../page/notice.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
/** Most groups that the server tells of. */
const BOARDS_MAX = 100;

type Service = 'started' | 'paused' | 'stopped';

interface Account {
  display_name: string | null;
  service: Service | null;
  groups: string[];
}

export class ServiceSwitch {
  private account: Account | null = null;
  private watched: string[] = [];
  private wasOnline = false;
  /** What groups are called. */
  private readonly titles = new Map<string, string>();
  private readonly buttons: HTMLButtonElement[];

  constructor(private readonly client: Client) {
    this.buttons = [...byId('service', HTMLElement).querySelectorAll('button')];
    for (const button of this.buttons) button.addEventListener('click', () => void this.change(button.value as Service).catch(trouble));
  }

  async begin(): Promise<void> {
    await this.read();
    await this.readTitles();
  }

  update(): void {
    const service = this.account?.service ?? null;
    put(byId('who', HTMLElement), this.account?.display_name ?? say('title'));
    for (const button of this.buttons) {
      button.disabled = service === null;
      button.setAttribute('aria-pressed', String(button.value === service));
    }
    put(byId('hint', HTMLElement), say(service === 'started' ? 'hint_started' : 'hint_other'));
    this.showBoards();
    const isOnline = this.client.status.state === 'online';
    // Meanwhile the agent may have come to serve other groups.
    if (isOnline && !this.wasOnline && this.account !== null) void this.read().catch(trouble);
    this.wasOnline = isOnline;
  }

  private async read(): Promise<void> {
    this.account = await this.client.api.in<Account>('GET', 'me');
    const groups = this.account.groups.slice(0, BOARDS_MAX);
    if (groups.join() !== this.watched.join()) {
      this.watched = groups;
      this.client.watchBoards(groups);
    }
    this.update();
  }

  /** Reads what the groups are called; without it they are shown by their ids. */
  private async readTitles(): Promise<void> {
    const { api, session } = this.client;
    try {
      const { groups } = await api.call<{ groups: { id: string; title: string | null }[] }>('GET', `/v1/tenants/${session.tenant}`);
      for (const { id, title } of groups) if (title !== null) this.titles.set(id, title);
    } catch {
      return;
    }
    this.update();
  }

  private showBoards(): void {
    const list = byId('board', HTMLElement);
    list.hidden = this.watched.length === 0;
    keep(list, this.watched.map((group) => this.board(group)));
  }

  private board(group: string): Entry {
    const title = this.titles.get(group) ?? group;
    const board = this.client.board(group);
    const waiting = board ? this.waiting(board) : '…';
    const serving = board ? servingOf(board) : '';
    const classes = board !== null && board.waiting > 0 ? 'waiting' : 'dim';
    const make = () =>
      h('li', { 'data-group': group }, h('b', {}, title), ' ', h('span', { class: classes }, waiting), ' ', h('span', { class: 'dim' }, serving));
    return { key: group, signature: [title, waiting, serving].join('\u0000'), make };
  }

  /** The server tells an instant; how long ago it is, is counted here by the server's clock. */
  private waiting({ waiting, oldest_at }: BoardFrame): string {
    if (waiting === 0 || oldest_at === null) return say('board_none');
    return say('board_waiting', { count: waiting, span: span(this.client.serverNow() - oldest_at) });
  }

  private async change(status: Service): Promise<void> {
    await this.client.api.in('PUT', 'me/service', { status });
    if (this.account) this.account.service = status;
    this.update();
  }
}

function servingOf({ in_service, on_service, agents, free_slots }: BoardFrame): string {
  return say('board_serving', { serving: in_service, on: on_service, agents, free: free_slots });
}
