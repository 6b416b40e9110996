/** The head of the open chat: who the customer is and where they come from, or who belongs to the thread. */

import type { Chat, Client } from '../client/index.js';
import { byId, say as put } from '../page/dom.js';
import { speaker } from '../page/language.js';
import type { Details } from './details.js';
import { nameOfUser } from './names.js';
import { TEXTS } from './texts.js';
import { type Threads, isThread } from './threads.js';

const say = speaker(TEXTS);

/** What a chat is called: a thread by its title, any other by its customer. */
export function titleOf(chat: Chat, threads: Threads): string {
  return isThread(chat) ? threads.titleOf(chat) : say('customer', { name: nameOfUser(chat.customer ?? '') });
}

export class About {
  constructor(
    private readonly client: Client,
    private readonly threads: Threads,
    private readonly details: Details,
  ) {}

  show(chat: Chat): void {
    if (isThread(chat)) this.threads.open(chat);
    put(byId('customer', HTMLElement), titleOf(chat, this.threads));
    const words = isThread(chat) ? this.ofThread(chat) : this.ofCustomer(chat);
    put(byId('details', HTMLElement), words.filter((word) => word !== '').join(' · '));
  }

  private ofThread(chat: Chat): string[] {
    return [this.threads.membersOf(chat), this.threads.mayWrite(chat) === false ? say('read_only') : ''];
  }

  private ofCustomer(chat: Chat): string[] {
    const { conversation } = chat;
    const online = chat.customer === null ? null : this.client.isOnline(chat.customer);
    const words = [chat.shop ?? '', conversation ? this.details.entryOf(conversation.id) : ''];
    if (online !== null) words.push(say(online ? 'online' : 'offline'));
    if (conversation?.score != null) words.push(say('scored', { score: conversation.score }));
    return words;
  }
}
