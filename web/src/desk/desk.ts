/** The desk of one agent: the list on one side, the chosen chat on the other. */

import type { Chat, Client, Draft, Item, Message, OutgoingMessage } from '../client/index.js';
import { type Begun, Composer } from '../page/composer.js';
import { byId, say as put } from '../page/dom.js';
import { speaker } from '../page/language.js';
import { LinkLine } from '../page/link_line.js';
import { MessageList } from '../page/messages.js';
import { notice, tellUnkept } from '../page/notice.js';
import { titled, unreadIn } from '../page/title.js';
import { About, titleOf } from './about.js';
import { ConversationList } from './conversation_list.js';
import { Details } from './details.js';
import { showDevices } from './devices.js';
import { end } from './ending.js';
import { Kept } from './kept.js';
import { Colleagues, nameOfUser } from './names.js';
import { Place } from './place.js';
import { reason, reasonOf, trouble } from './reasons.js';
import { Refused } from './refused.js';
import { ServiceSwitch } from './service.js';
import { SignedOut } from './signed_out.js';
import { Suggestions } from './suggestions.js';
import { TEXTS } from './texts.js';
import { Threads, isThread } from './threads.js';
import { askWhom } from './transfer.js';
import { Waiting } from './waiting.js';

const say = speaker(TEXTS);
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
  private readonly colleagues: Colleagues;
  private readonly place: Place;
  private readonly about: About;
  private readonly refused: Refused;
  private readonly signedOut: SignedOut;
  /** Conversations that this agent hands over; their leaving is told as that. */
  private readonly handing = new Set<string>();
  private readonly form = byId('composer', HTMLFormElement);
  private chosen: string | null = null;
  private watched = '';

  constructor(
    private readonly client: Client,
    leave: () => void,
  ) {
    const kept = new Kept(sessionStorage, `kefu.desk.${client.session.tenant}.${client.session.user}.`);
    const update = () => this.update();
    this.service = new ServiceSwitch(client);
    const threads = (this.threads = new Threads(client, update));
    const details = new Details(client, update);
    this.about = new About(client, threads, details);
    this.list = new ConversationList({ client, threads, details, choose: (chat) => this.choose(chat) });
    this.place = new Place(kept, (chat) => this.turn(chat));
    this.waiting = new Waiting(client);
    this.colleagues = new Colleagues(client, kept);
    const nameOf = (message: Pick<Message, 'from' | 'category'>) => this.nameOf(message);
    const quote = (message: Message) => this.composer.quote(message);
    const onItsWay = (message: OutgoingMessage) => this.onItsWay(message);
    this.messages = new MessageList({ client, list: byId('messages', HTMLElement), nameOf, quote, onItsWay, looked: () => this.read(), trouble });
    const dress = (draft: Draft): Draft => ({ ...draft, visibility: this.visibility() });
    const begun = { load: () => kept.read<Record<string, Begun>>('begun') ?? {}, save: (all: object) => kept.write('begun', all) };
    this.composer = new Composer({ client, form: this.form, chat: () => this.chosen, dress, trouble: notice, reason, kept: begun });
    const titleIn = (id: string) => (client.state.chats[id] ? titleOf(client.state.chats[id], threads) : null);
    this.refused = new Refused({ client, list: byId('refused', HTMLElement), kept, titleOf: titleIn });
    this.signedOut = new SignedOut(client);
    this.suggestions = new Suggestions(client, (text, suggestion) => this.composer.take(text, suggestion));
    this.link = new LinkLine(client, byId('link', HTMLElement));
    byId('end', HTMLButtonElement).addEventListener('click', () => void this.end().catch(trouble));
    byId('transfer', HTMLButtonElement).addEventListener('click', () => void this.transfer().catch(trouble));
    byId('suggest', HTMLButtonElement).addEventListener('click', () => void this.suggest().catch(trouble));
    byId('invite', HTMLButtonElement).addEventListener('click', () => void this.invite().catch(trouble));
    byId('devices', HTMLButtonElement).addEventListener('click', () => void showDevices(client).catch(trouble));
    byId('sign-out', HTMLButtonElement).addEventListener('click', leave);
    byId('back', HTMLButtonElement).addEventListener('click', () => this.place.back());
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
    const before = this.place.before();
    if (this.chosen === null && before !== null) this.turn(before);
    this.update();
  }

  /** Shows a chat that is there, or the list alone. */
  private turn(chat: string | null): void {
    const known = chat === null ? undefined : this.client.state.chats[chat];
    this.chosen = known?.id ?? null;
    this.place.turned(this.chosen);
    if (known) this.accept(known);
    this.update();
  }

  private choose(chat: string): void {
    this.turn(chat);
    this.composer.focus();
  }

  /** Whoever opens a new conversation has it: the server is told, so that it goes to nobody else for want of an answer. */
  private accept(chat: Chat): void {
    if (this.list.accept(chat) && chat.conversation) void this.client.api.accept(chat.conversation.id).catch(trouble);
  }

  /** Tells how a conversation left this desk: the chat is gone from the list a moment later. */
  private happened(item: Item): void {
    this.threads.happened(item);
    this.list.happened(item);
    // If it comes back, it comes back as any other does.
    if (item.k === 'member_left' && item.user === this.client.state.me && item.chat === this.chosen) this.turn(null);
    if (item.k !== 'conversation') return;
    if (item.event !== 'closed' && item.event !== 'agent_released') return;
    if (item.event === 'agent_released' && this.handing.delete(item.conversation)) return;
    const chat = this.client.state.chats[item.chat];
    const ended = item.event === 'closed' || chat?.conversation?.status === 'closed';
    const name = nameOfUser(chat?.customer ?? '');
    if (chat && (item.event === 'closed' || !ended)) notice(say(ended ? 'over' : 'gone', { name }));
  }

  private visibility(): 'all' | 'staff' {
    const chat = this.chat();
    // Everybody in a thread sees all of it.
    if (chat && isThread(chat)) return 'all';
    return this.composer.visibility;
  }

  private nameOf(message: Pick<Message, 'from' | 'category'>): string {
    const chat = this.chat();
    if (message.from === this.client.state.me) return say('me');
    if (message.category === 'robot') return say('robot');
    const known = chat && isThread(chat) ? this.threads.nameIn(chat, message.from) : null;
    if (known !== null) return known;
    if (message.category === 'customer') return say('customer', { name: nameOfUser(message.from) });
    return say('agent', { name: this.colleagues.nameOf(message.from) });
  }

  private onItsWay(message: OutgoingMessage): string {
    if (message.state === 'failed') return say('failed_why', { reason: reasonOf(message.code ?? '') });
    return say(this.signedOut.isSo() ? 'waits_for_sign_in' : 'sending');
  }

  private async end(): Promise<void> {
    const chat = this.chat();
    if (chat) await end(this.client, chat);
  }

  private async transfer(): Promise<void> {
    const chat = this.chat();
    if (!chat?.conversation) return;
    const { id } = chat.conversation;
    const handOver = await askWhom(this.client, this.colleagues);
    if (!handOver) return;
    this.handing.add(id);
    try {
      await this.client.api.transfer(id, handOver.target, handOver.remark);
    } catch (error) {
      this.handing.delete(id);
      throw error;
    }
    notice(say('handed_to', { customer: nameOfUser(chat.customer ?? ''), name: handOver.name }));
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
    this.colleagues.learn();
    this.link.update();
    this.signedOut.update();
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
    this.composer.open(!this.signedOut.isSo());
    const serving = chat?.conversation?.status === 'serving' && chat.conversation.agent === client.state.me;
    const thread = chat !== null && isThread(chat);
    this.form.hidden = !serving && !(thread && this.threads.mayWrite(chat) === true);
    byId('visibility', HTMLElement).hidden = thread;
    this.suggestions.turnTo(serving ? (chat.conversation?.id ?? null) : null);
    for (const id of ['end', 'invite', 'suggest', 'transfer']) byId(id, HTMLElement).hidden = !serving;
    put(byId('typing', HTMLElement), chat && client.isTyping(chat.id) ? say('typing') : '');
    if (chat) this.look(chat);
    this.messages.show(chat);
    this.read();
    titled(say('title'), unreadIn(client));
    this.refused.update(chat?.id ?? null);
  }

  /** The agent looks at a chat. */
  private look(chat: Chat): void {
    const { client } = this;
    if (chat.loadedFrom === null) void client.open(chat.id).catch(trouble);
    this.about.show(chat);
  }

  /** What was in sight of somebody who looks at the page is read. */
  private read(): void {
    const chat = this.chat();
    if (chat && document.visibilityState === 'visible' && document.hasFocus()) this.client.markRead(chat.id, this.messages.seen());
  }

  private watchCustomers(): void {
    const customers = this.list.served().flatMap((chat) => (chat.customer === null ? [] : [chat.customer]));
    const wanted = [...new Set(customers)].sort();
    if (wanted.join() === this.watched) return;
    this.watched = wanted.join();
    this.client.watch(wanted);
  }
}
