/** The desk of one agent: the list on one side, the chosen chat on the other. */

import type { Chat, Client, Draft, Item, Message } from '../client/index.js';
import { Composer } from '../page/composer.js';
import { byId, confirmed, say as put } from '../page/dom.js';
import { speaker } from '../page/language.js';
import { LinkLine } from '../page/link_line.js';
import { MessageList } from '../page/messages.js';
import { notice, tellUnkept, trouble } from '../page/notice.js';
import { ConversationList } from './conversation_list.js';
import { showDevices } from './devices.js';
import { nameOfUser } from './names.js';
import { ServiceSwitch } from './service.js';
import { Suggestions } from './suggestions.js';
import { TEXTS } from './texts.js';
import { Threads, isThread } from './threads.js';
import { transfer } from './transfer.js';
import { Waiting } from './waiting.js';

const say = speaker(TEXTS);
/** How a conversation was entered. */
interface Entered {
  entry_page: 'product' | 'shop' | 'order' | 'logistics';
  entry_subject: string | null;
}

/** Threads whose last messages are read without being looked at: a screen full of them. */
const THREADS_READ = 20;
/** How often waiting times are written anew. */
const TICK_MS = 1_000;

export class Desk {
  private readonly service: ServiceSwitch;
  private readonly threads: Threads;
  private readonly list: ConversationList;
  private readonly waiting: Waiting;
  private readonly messages: MessageList;
  private readonly composer: Composer;
  private readonly link: LinkLine;
  private readonly suggestions: Suggestions;
  private readonly entries = new Map<string, string>();
  private readonly form = byId('composer', HTMLFormElement);
  private chosen: string | null = null;
  private watched = '';

  constructor(
    private readonly client: Client,
    leave: () => void,
  ) {
    this.service = new ServiceSwitch(client);
    this.threads = new Threads(client, () => this.update());
    this.list = new ConversationList(client, this.threads, (chat) => this.choose(chat));
    this.waiting = new Waiting(client);
    const nameOf = (message: Pick<Message, 'from' | 'category'>) => this.nameOf(message);
    const quote = (message: Message) => this.composer.quote(message);
    this.messages = new MessageList({ client, list: byId('messages', HTMLElement), nameOf, quote, trouble });
    const dress = (draft: Draft): Draft => ({ ...draft, visibility: this.visibility() });
    this.composer = new Composer({ client, form: this.form, chat: () => this.chosen, dress, trouble: notice });
    this.suggestions = new Suggestions(client, (text, suggestion) => this.composer.take(text, suggestion));
    this.link = new LinkLine(client, byId('link', HTMLElement));
    this.form.addEventListener('change', () => this.update());
    byId('end', HTMLButtonElement).addEventListener('click', () => void this.end().catch(trouble));
    byId('transfer', HTMLButtonElement).addEventListener('click', () => void this.transfer().catch(trouble));
    byId('suggest', HTMLButtonElement).addEventListener('click', () => void this.suggest().catch(trouble));
    byId('invite', HTMLButtonElement).addEventListener('click', () => void this.invite().catch(trouble));
    byId('devices', HTMLButtonElement).addEventListener('click', () => void showDevices(client).catch(trouble));
    byId('sign-out', HTMLButtonElement).addEventListener('click', leave);
    byId('back', HTMLButtonElement).addEventListener('click', () => this.choose(null));
    document.addEventListener('visibilitychange', () => this.update());
    window.addEventListener('focus', () => this.update());
    client.subscribe(() => this.update());
    tellUnkept(client);
    client.onItem((item) => this.happened(item));
  }

  async begin(): Promise<void> {
    setInterval(() => this.update(), TICK_MS);
    this.update();
    await this.client.start();
    this.update();
  }

  private choose(chat: string | null): void {
    this.chosen = chat;
    if (chat !== null) this.accept(chat);
    this.update();
    if (chat !== null) this.composer.focus();
  }

  /** Whoever opens a new conversation has it: the server is told, so that it goes to nobody else for want of an answer. */
  private accept(chat: string): void {
    const conversation = this.client.state.chats[chat]?.conversation;
    if (this.list.accept(chat) && conversation) void this.client.api.accept(conversation.id).catch(trouble);
  }

  /** Tells how a conversation left this desk: the chat is gone from the list a moment later. */
  private happened(item: Item): void {
    this.threads.happened(item);
    if (item.k !== 'conversation') return;
    if (item.event !== 'closed' && item.event !== 'agent_released') return;
    const chat = this.client.state.chats[item.chat];
    const ended = item.event === 'closed' || chat?.conversation?.status === 'closed';
    const name = nameOfUser(chat?.customer ?? '');
    if (chat && (item.event === 'closed' || !ended)) notice(say(ended ? 'over' : 'gone', { name }));
  }

  private visibility(): 'all' | 'staff' {
    const chat = this.chat();
    // Everybody in a thread sees all of it.
    if (chat && isThread(chat)) return 'all';
    return new FormData(this.form).get('visibility') === 'staff' ? 'staff' : 'all';
  }

  private nameOf(message: Pick<Message, 'from' | 'category'>): string {
    const chat = this.chat();
    if (message.from === this.client.state.me) return say('me');
    if (message.category === 'robot') return say('robot');
    const known = chat && isThread(chat) ? this.threads.nameIn(chat, message.from) : null;
    if (known !== null) return known;
    const name = nameOfUser(message.from);
    return say(message.category === 'customer' ? 'customer' : 'agent', { name });
  }

  private async end(): Promise<void> {
    const chat = this.chat();
    if (!chat?.conversation || !(await confirmed(say('end_sure'), say('yes'), say('no')))) return;
    await this.client.api.end(chat.conversation.id, chat.lastSeq);
  }

  private async transfer(): Promise<void> {
    const conversation = this.chat()?.conversation;
    if (conversation) await transfer(this.client, conversation.id);
  }

  private async suggest(): Promise<void> {
    const conversation = this.chat()?.conversation;
    if (conversation) await this.suggestions.ask(conversation.id);
  }

  private async invite(): Promise<void> {
    const conversation = this.chat()?.conversation;
    if (!conversation) return;
    await this.client.api.inviteRating(conversation.id);
    notice(say('invited'));
  }

  private chat(): Chat | null {
    return this.chosen === null ? null : (this.client.state.chats[this.chosen] ?? null);
  }

  private update(): void {
    const { client } = this;
    const chat = this.chat();
    this.link.update();
    this.service.update();
    this.waiting.update(this.service.someWait());
    this.list.update(this.chosen);
    this.watchCustomers();
    // Waiting times and previews need the last messages of every conversation that is served, and of the threads on top.
    const shown = [...this.list.served(), ...this.threads.all().slice(0, THREADS_READ)];
    for (const own of shown) if (own.loadedFrom === null) void client.open(own.id).catch(trouble);
    byId('desk', HTMLElement).querySelector('.columns')?.classList.toggle('chosen', chat !== null);
    for (const id of ['about', 'messages']) byId(id, HTMLElement).hidden = chat === null;
    byId('nobody', HTMLElement).hidden = chat !== null;
    this.composer.turnTo(chat?.id ?? null);
    const serving = chat?.conversation?.status === 'serving' && chat.conversation.agent === client.state.me;
    const thread = chat !== null && isThread(chat);
    this.form.hidden = !serving && !(thread && this.threads.mayWrite(chat) === true);
    this.form.classList.toggle('staff', this.visibility() === 'staff');
    byId('visibility', HTMLElement).hidden = thread;
    this.suggestions.turnTo(serving ? (chat.conversation?.id ?? null) : null);
    for (const id of ['end', 'invite', 'suggest', 'transfer']) byId(id, HTMLElement).hidden = !serving;
    put(byId('typing', HTMLElement), chat && client.isTyping(chat.id) ? say('typing') : '');
    if (chat) this.about(chat);
    this.messages.show(chat);
  }

  private about(chat: Chat): void {
    const { client } = this;
    if (chat.loadedFrom === null) void client.open(chat.id).catch(trouble);
    if (document.visibilityState === 'visible' && document.hasFocus()) client.markRead(chat.id);
    if (isThread(chat)) this.aboutThread(chat);
    else this.aboutCustomer(chat);
  }

  private aboutThread(chat: Chat): void {
    this.threads.open(chat);
    put(byId('customer', HTMLElement), this.threads.titleOf(chat));
    const words = [this.threads.membersOf(chat), this.threads.mayWrite(chat) === false ? say('read_only') : ''];
    put(byId('details', HTMLElement), words.filter((word) => word !== '').join(' · '));
  }

  private aboutCustomer(chat: Chat): void {
    const { client } = this;
    put(byId('customer', HTMLElement), say('customer', { name: nameOfUser(chat.customer ?? '') }));
    const online = chat.customer === null ? null : client.isOnline(chat.customer);
    const words = [chat.shop ?? '', this.entryOf(chat)];
    if (online !== null) words.push(say(online ? 'online' : 'offline'));
    if (chat.conversation?.score != null) words.push(say('scored', { score: chat.conversation.score }));
    put(byId('details', HTMLElement), words.filter((word) => word !== '').join(' · '));
  }

  /** From which page the customer came; asked once for each conversation. */
  private entryOf(chat: Chat): string {
    const id = chat.conversation?.id;
    if (id === undefined) return '';
    const known = this.entries.get(id);
    if (known !== undefined) return known;
    this.entries.set(id, '');
    this.client.api
      .in<Entered>('GET', `conversations/${id}`)
      .then((told) => {
        const subject = told.entry_subject === null ? '' : ` ${told.entry_subject}`;
        this.entries.set(id, say(`entry_${told.entry_page}`) + subject);
        this.update();
      })
      .catch(() => this.entries.delete(id));
    return '';
  }

  private watchCustomers(): void {
    const customers = this.list.served().flatMap((chat) => (chat.customer === null ? [] : [chat.customer]));
    const wanted = [...new Set(customers)].sort();
    if (wanted.join() === this.watched) return;
    this.watched = wanted.join();
    this.client.watch(wanted);
  }
}
