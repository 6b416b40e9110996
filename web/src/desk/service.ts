/** Whether the agent takes conversations, and how their groups stand: who waits, since when, and how many serve. */

import { type BoardFrame, type Client, SignedOutError } from '../client/index.js';
import { type Entry, byId, h, keep, say as put } from '../page/dom.js';
import { span, speaker } from '../page/language.js';
import { trouble } from './reasons.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
/** Most groups that the server tells of. */
const BOARDS_MAX = 100;
/** Service and groups are read again so often: both can be changed elsewhere, and no signal tells of all of it. */
const READ_EVERY_MS = 60_000;
/** What could not be read is asked for again after this long. */
const AGAIN_MS = 5_000;

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
  private reading = false;
  /** How often it was changed here: what was asked before the last time may be answered with what was. */
  private changes = 0;
  /** When it is read next, by the time that the page is open. */
  private dueAt = 0;
  /** What groups are called. */
  private readonly titles = new Map<string, string>();
  private readonly buttons: HTMLButtonElement[];

  constructor(private readonly client: Client) {
    this.buttons = [...byId('service', HTMLElement).querySelectorAll('button')];
    for (const button of this.buttons) button.addEventListener('click', () => void this.change(button.value as Service).catch(trouble));
  }

  /** Whether the agent takes conversations, and somebody waits in one of their groups. */
  someWait(): boolean {
    return this.account?.service === 'started' && this.watched.some((group) => (this.client.board(group)?.waiting ?? 0) > 0);
  }

  /** Shows how things stand, and reads them when it is time; called often. */
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
    const isBack = isOnline && !this.wasOnline;
    this.wasOnline = isOnline;
    if (isOnline && !this.reading && (isBack || performance.now() >= this.dueAt)) void this.read();
  }

  private async read(): Promise<void> {
    this.reading = true;
    let pause = AGAIN_MS;
    try {
      await this.readAccount();
      pause = READ_EVERY_MS;
      await this.readTitles();
    } catch (error) {
      // What is shown stays; without anything the agent shall know why.
      if (this.account === null && !(error instanceof SignedOutError)) trouble(error);
    } finally {
      this.reading = false;
      this.dueAt = performance.now() + pause;
    }
    this.update();
  }

  private async readAccount(): Promise<void> {
    const { changes } = this;
    const account = await this.client.api.in<Account>('GET', 'me');
    if (changes !== this.changes) return this.readAccount();
    this.account = account;
    this.watched = account.groups.slice(0, BOARDS_MAX);
    // Said anew each time: the server takes away what the agent serves no more, and does not give it back.
    this.client.watchBoards(this.watched);
    this.update();
  }

  /** Reads what the groups are called; until then they are shown by their ids. */
  private async readTitles(): Promise<void> {
    if (this.watched.every((group) => this.titles.has(group))) return;
    const { api, session } = this.client;
    const { groups } = await api.call<{ groups: { id: string; title: string | null }[] }>('GET', `/v1/tenants/${session.tenant}`);
    for (const { id, title } of groups) this.titles.set(id, title ?? id);
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
    const left = board && board.left_messages > 0 ? say('board_left', { count: board.left_messages }) : '';
    const serving = board ? servingOf(board) : '';
    const classes = board !== null && board.waiting > 0 ? 'waiting' : 'dim';
    const parts = [h('b', {}, title), h('span', { class: classes }, waiting), left === '' ? null : h('span', { class: 'left' }, left)];
    const make = () => h('li', { 'data-group': group }, ...parts.flatMap((part) => [part, ' ']), h('span', { class: 'dim' }, serving));
    return { key: group, signature: [title, waiting, left, serving].join('\u0000'), make };
  }

  /** The server tells an instant; how long ago it is, is counted here by the server's clock. */
  private waiting({ waiting, oldest_at }: BoardFrame): string {
    if (waiting === 0 || oldest_at === null) return say('board_none');
    return say('board_waiting', { count: waiting, span: span(this.client.serverNow() - oldest_at) });
  }

  private async change(status: Service): Promise<void> {
    await this.client.api.in('PUT', 'me/service', { status });
    this.changes += 1;
    if (this.account) this.account.service = status;
    this.update();
  }
}

function servingOf({ in_service, on_service, agents, free_slots }: BoardFrame): string {
  return say('board_serving', { serving: in_service, on: on_service, agents, free: free_slots });
}
