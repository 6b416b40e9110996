/**
 * The customer's page: `?tenant=demo&shop=flagship`, and `entry=product|order|logistics`, `subject=...` if wanted. Whoever opens it is
 * an anonymous customer, and stays the same one in this browser.
 */

import {
  ApiError,
  BrowserStore,
  type Chat,
  Client,
  type Entry,
  Http,
  type KeyValueStore,
  openBrowserStore,
  realEnvironment,
} from '../client/index.js';
import { Composer } from '../page/composer.js';
import { byId, confirmed, h, say as put } from '../page/dom.js';
import { prepare, speaker } from '../page/language.js';
import { LinkLine } from '../page/link_line.js';
import { MessageList } from '../page/messages.js';
import { notice, tellUnkept, trouble } from '../page/notice.js';
import { reason } from '../page/reasons.js';
import { titled } from '../page/title.js';
import { DraftKeeper } from './draft.js';
import { RatingForm } from './rating.js';
import { onAnother, signedIn } from './sign_in.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
prepare(say);

const query = new URLSearchParams(location.search);
const tenant = query.get('tenant') ?? 'demo';
const shop = query.get('shop') ?? 'flagship';
const environment = realEnvironment();
const http = new Http(environment, () => '');
/** Where the sign-in is; messages on their way have a store of their own. */
const corner = `kefu.chat.${tenant}.`;
const settings = new BrowserStore(localStorage, corner);
const context = { environment, http, store: settings };

const title = `${say('title')} · ${shop}`;
titled(title, 0);
put(byId('title', HTMLElement), say('title'));

function entry(): Entry {
  const page = query.get('entry');
  const subject = query.get('subject');
  const known = page === 'product' || page === 'shop' || page === 'order' || page === 'logistics';
  return { ...(known ? { page } : {}), ...(subject === null ? {} : { subject }) };
}

/** Begins as somebody new, without what the one before has left. */
async function forget(store: KeyValueStore): Promise<void> {
  for (const kept of [store, settings]) for (const key of await kept.keys('')) await kept.delete(key);
  location.reload();
}

class Page {
  private readonly list: MessageList;
  private readonly composer: Composer;
  private readonly link: LinkLine;
  private readonly rating: RatingForm;
  private readonly draft: DraftKeeper;
  private readonly lookForAnother: () => Promise<void>;
  private entered: string | null = null;

  constructor(
    private readonly client: Client,
    private readonly store: KeyValueStore,
  ) {
    const nameOf = (message: { from: string; category: string; senderName?: string | null }) =>
      message.from === client.state.me ? say('me') : (message.senderName ?? say(message.category === 'robot' ? 'robot' : 'agent'));
    const quote = (message: Parameters<Composer['quote']>[0]) => this.composer.quote(message);
    const ask = (question: string) => {
      const chat = this.chat();
      if (chat && !this.isOver()) void client.send(chat.id, { content: question }).catch(trouble);
    };
    this.list = new MessageList({ client, list: byId('messages', HTMLElement), nameOf, quote, ask, looked: () => this.read(), trouble });
    const form = byId('composer', HTMLFormElement);
    this.composer = new Composer({ client, form, chat: () => this.chat()?.id ?? this.entered, trouble: notice });
    this.link = new LinkLine(client, byId('link', HTMLElement));
    this.rating = new RatingForm(client, byId('rating', HTMLFormElement), byId('rate', HTMLButtonElement), `${corner}rate_later`);
    this.draft = new DraftKeeper(form, `${corner}draft.`);
    // Another window has let this customer go, or goes on as somebody new: so does this one.
    this.lookForAnother = onAnother(context, client.session, () => location.reload());
    byId('start-again', HTMLButtonElement).addEventListener('click', () => void forget(store).catch(trouble));
    byId('enter', HTMLButtonElement).addEventListener('click', () => void this.enter().catch(trouble));
    byId('end', HTMLButtonElement).addEventListener('click', () => void this.end().catch(trouble));
    byId('human', HTMLButtonElement).addEventListener('click', () => void this.human().catch(trouble));
    byId('new-visitor', HTMLButtonElement).addEventListener('click', () => void this.leave().catch(trouble));
    document.addEventListener('visibilitychange', () => this.update());
    window.addEventListener('focus', () => this.update());
    client.subscribe(() => this.update());
    tellUnkept(client);
  }

  async begin(): Promise<void> {
    this.update();
    await this.client.start();
    // A sign-in that ended while the page was away: its customer is gone, and a new one begins.
    if (this.client.status.state === 'signed_out') await forget(this.store);
    this.update();
  }

  /** The customer's chat with this shop. */
  private chat(): Chat | null {
    return Object.values(this.client.state.chats).find((chat) => chat.shop === shop || chat.id === this.entered) ?? null;
  }

  private async enter(): Promise<void> {
    const button = byId('enter', HTMLButtonElement);
    button.disabled = true;
    try {
      this.entered = await this.open(entry());
      this.update();
      this.composer.focus();
    } finally {
      button.disabled = false;
    }
  }

  /** A subject that the shop's systems never made does not keep anybody out. */
  private async open({ subject, ...entry }: Entry): Promise<string> {
    const { api } = this.client;
    if (subject === undefined) return api.enter(shop, entry);
    try {
      return await api.enter(shop, { ...entry, subject });
    } catch (error) {
      if (!(error instanceof ApiError && error.code === 'invalid_field')) throw error;
      return api.enter(shop, entry);
    }
  }

  private async end(): Promise<void> {
    const conversation = this.chat()?.conversation;
    if (!conversation || !(await confirmed(say('end_sure'), say('yes'), say('no')))) return;
    await this.client.api.end(conversation.id);
  }

  private async human(): Promise<void> {
    const conversation = this.chat()?.conversation;
    if (conversation) await this.client.api.handOff(conversation.id);
  }

  /** Lets this customer go, so that one person can try being several. */
  private async leave(): Promise<void> {
    if (!(await confirmed(say('new_visitor_sure'), say('yes'), say('no')))) return;
    await this.client.stop();
    // Offline the sign-in ends here all the same.
    await this.client.session.signOut().catch(() => undefined);
    await forget(this.store);
  }

  /** The sign-in has ended while the page was looked at. */
  private isOver(): boolean {
    return this.client.status.state === 'signed_out';
  }

  private update(): void {
    const chat = this.chat();
    const over = byId('over', HTMLElement);
    if (this.isOver() && over.hidden) void this.lookForAnother();
    over.hidden = !this.isOver();
    const loaded = this.client.status.state !== 'stopped' && (this.client.cursor > 0 || this.client.status.state === 'online');
    this.link.update();
    if (chat) this.chatIsThere(chat);
    byId('welcome', HTMLElement).hidden = chat !== null || this.entered !== null || !loaded || this.isOver();
    byId('messages', HTMLElement).hidden = chat === null;
    byId('composer', HTMLElement).hidden = (chat === null && this.entered === null) || this.isOver();
    const open = !this.isOver() && chat?.conversation != null && chat.conversation.status !== 'closed';
    byId('end', HTMLElement).hidden = !open;
    byId('human', HTMLElement).hidden = !open || chat.conversation?.status !== 'reception';
    put(byId('status', HTMLElement), this.statusOf(chat));
    put(byId('typing', HTMLElement), chat && this.client.isTyping(chat.id) ? say('typing') : '');
    this.list.show(chat);
    this.rating.update(this.isOver() ? null : chat);
    this.read();
    titled(title, chat ? this.client.unread(chat.id) : 0);
  }

  /** What is in sight of somebody who looks is read. */
  private read(): void {
    const chat = this.chat();
    if (chat && document.visibilityState === 'visible' && document.hasFocus()) this.client.markRead(chat.id, this.list.seen());
  }

  private chatIsThere(chat: Chat): void {
    this.composer.turnTo(chat.id);
    this.draft.turnTo(chat.id);
    if (chat.loadedFrom === null) void this.client.open(chat.id).catch(trouble);
  }

  private statusOf(chat: Chat | null): string {
    const conversation = chat?.conversation;
    if (!conversation) return say(this.entered === null ? 'idle' : 'reception');
    if (conversation.status === 'closed') return say('closed');
    if (conversation.status === 'reception' && chat.messages.at(-1)?.category === 'robot') return say('robot_serves');
    if (conversation.status !== 'waiting') return say(conversation.status);
    const place = this.client.state.queue[conversation.id];
    if (!place) return say('waiting');
    const minutes = Math.max(1, Math.ceil((place.waitS ?? 0) / 60));
    return say(place.waitS === null ? 'waiting_place' : 'waiting_wait', { position: place.position, minutes });
  }
}

/** What stands where the connection is told of, before there is one, and when there will be none. */
function line(state: 'lost' | '', text: string, ...more: Node[]): void {
  const element = byId('link', HTMLElement);
  element.dataset['state'] = state;
  element.replaceChildren(text, ...more);
  element.hidden = false;
}

async function main(): Promise<void> {
  line('', say('connecting'));
  const store = await openBrowserStore(`kefu.chat.${tenant}`, settings);
  const session = await signedIn(context, tenant);
  await new Page(new Client({ session, store, begin: 'list', environment }), store).begin();
}

main().catch((error: unknown) => {
  const again = h('button', { type: 'button', class: 'quiet', click: () => location.reload() }, say('retry_now'));
  line('lost', `${reason(error)} `, again);
});
