/** How long somebody waits, from what is known of a chat. It must not know a clock: it answers instants. */

import type { Chat } from './state.js';

/** Since when the customer waits for an answer; null when nobody waits, or the conversation is over. */
export function waitingSince(chat: Chat): number | null {
  if (chat.conversation?.status === 'closed') return null;
  let since: number | null = null;
  for (let nth = chat.messages.length - 1; nth >= 0; nth -= 1) {
    const message = chat.messages[nth];
    if (message?.category === 'agent' && message.visibility === 'all') break;
    if (message?.category === 'customer' && message.conversation === chat.conversation?.id) since = message.createdAt;
  }
  return since;
}
