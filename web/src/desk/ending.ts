/** Ends a conversation: asks first, and says what the customer writes while it asks, which the agent has not seen. */

import type { Chat, Client } from '../client/index.js';
import { h } from '../page/dom.js';
import { speaker } from '../page/language.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);

/** Asks, and ends it. What was said up to the asking counts as seen, and nothing after it. */
export async function end(client: Client, { id, conversation, lastSeq }: Chat): Promise<void> {
  if (!conversation || !(await sure(client, id, lastSeq))) return;
  await client.api.end(conversation.id, lastSeq);
}

async function sure(client: Client, chat: string, seen: number): Promise<boolean> {
  const warning = h('p', { class: 'warning', role: 'alert', hidden: true }, say('wrote_meanwhile'));
  const yes = h('button', { value: 'yes', class: 'strong' }, say('yes'));
  const buttons = h('form', { method: 'dialog', class: 'row' }, h('button', { value: 'no' }, say('no')), yes);
  const dialog = h('dialog', { class: 'ask' }, h('p', {}, say('end_sure')), warning, buttons);
  const look = () => {
    const messages = client.state.chats[chat]?.messages ?? [];
    if (!messages.some(({ category, seq }) => category === 'customer' && seq > seen)) return;
    warning.hidden = false;
    // The server would keep it open.
    yes.disabled = true;
  };
  const stop = client.subscribe(look);
  const answer = new Promise<boolean>((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes')));
  document.body.append(dialog);
  dialog.showModal();
  return answer.finally(() => {
    stop();
    dialog.remove();
  });
}
