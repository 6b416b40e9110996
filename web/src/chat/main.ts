/**
 * The customer's page: `?tenant=demo&shop=flagship`, and `entry=product|order|logistics`, `subject=...` if wanted. Whoever opens it is
 * an anonymous customer, and stays the same one in this browser.
 */

import { BrowserStore, type Chat, Client, type Entry, Http, type KeyValueStore, Session, openBrowserStore, realEnvironment } from '../client/index.js';
import { Composer } from '../page/composer.js';
import { byId, confirmed, say as put } from '../page/dom.js';
import { prepare, speaker } from '../page/language.js';
import { LinkLine } from '../page/link_line.js';
import { MessageList } from '../page/messages.js';
import { notice, tellUnkept, trouble } from '../page/notice.js';
import { RatingForm } from './rating.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
prepare(say);

const query = new URLSearchParams(location.search);
const tenant = query.get('tenant') ?? 'demo';
const shop = query.get('shop') ?? 'flagship';
const environment = realEnvironment();
const http = new Http(environment, () => '');
/** Where the sign-in is; messages on their way have a store of their own. */
const settings = new BrowserStore(localStorage, `kefu.chat.${tenant}.`);
const context = { environment, http, store: settings };

document.title = `${say('title')} · ${shop}`;
put(byId('title', HTMLElement), say('title'));

async function signedIn(): Promise<Session> {
  return (await Session.restore(context, tenant)) ?? Session.anonymous(context, tenant, navigator.userAgent);
}

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
      if (chat) void client.send(chat.id, { content: question }).catch(trouble);
    };
    this.list = new MessageList({ client, list: byId('messages', HTMLElement), nameOf, quote, ask, trouble });
    const form = byId('composer', HTMLFormElement);
    this.composer = new Composer({ client, form, chat: () => this.chat()?.id ?? this.entered, trouble: notice });
    this.link = new LinkLine(client, byId('link', HTMLElement));
    this.rating = new RatingForm(client, byId('rating', HTMLFormElement), byId('rate', HTMLButtonElement));
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
      this.entered = await this.client.api.enter(shop, entry());
      this.update();
      this.composer.focus();
    } finally {
      button.disabled = false;
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

  private update(): void {
    const chat = this.chat();
    const loaded = this.client.status.state !== 'stopped' && (this.client.cursor > 0 || this.client.status.state === 'online');
    this.link.update();
    if (chat) this.chatIsThere(chat);
    byId('welcome', HTMLElement).hidden = chat !== null || this.entered !== null || !loaded;
    byId('messages', HTMLElement).hidden = chat === null;
    byId('composer', HTMLElement).hidden = (chat === null && this.entered === null) || this.client.status.state === 'signed_out';
    const open = chat?.conversation != null && chat.conversation.status !== 'closed';
    byId('end', HTMLElement).hidden = !open;
    byId('human', HTMLElement).hidden = chat?.conversation?.status !== 'reception';
    put(byId('status', HTMLElement), this.statusOf(chat));
    put(byId('typing', HTMLElement), chat && this.client.isTyping(chat.id) ? say('typing') : '');
    this.list.show(chat);
    this.rating.update(chat);
  }

  private chatIsThere(chat: Chat): void {
    this.composer.turnTo(chat.id);
    if (chat.loadedFrom === null) void this.client.open(chat.id).catch(trouble);
    if (document.visibilityState === 'visible' && document.hasFocus()) this.client.markRead(chat.id);
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

async function main(): Promise<void> {
  const store = await openBrowserStore(`kefu.chat.${tenant}`, settings);
  await new Page(new Client({ session: await signedIn(), store, begin: 'list', environment }), store).begin();
}

main().catch(trouble);
