/** The messages of one chat in the order of their places: put in, and taken back. It must not know the feed, nor other chats. */

import type { WireMessage } from './protocol.js';
import type { Chat, Message } from './state.js';

/** Puts a message in its place, or in the place of what was known of it; what was marked before it came is marked. */
export function putMessage(me: string, chat: Chat, wire: WireMessage): void {
  const at = place(chat.messages, wire.seq);
  const known = chat.messages[at]?.seq === wire.seq ? chat.messages[at] : undefined;
  const marked = chat.marked[wire.id];
  const own = wire.from === me;
  const readTo = own ? Math.max(0, ...Object.values(chat.reads)) : chat.readSeq;
  const message: Message = {
    id: wire.id,
    clientId: wire.client_msg_id,
    chat: wire.chat,
    conversation: wire.conversation,
    seq: wire.seq,
    category: wire.category,
    style: wire.style,
    kind: wire.kind,
    content: wire.content,
    from: wire.from,
    senderName: wire.sender_name ?? null,
    url: wire.url ?? null,
    quote: wire.quote ?? null,
    quoteText: wire.quote !== undefined && isTakenBack(chat, wire.quote) ? null : (wire.quote_text ?? null),
    ext: wire.ext ?? null,
    visibility: wire.visibility,
    createdAt: wire.created_at,
    recalled: wire.is_recalled || known?.recalled === true || marked === 'recalled',
    hidden: wire.is_deleted || known?.hidden === true || marked === 'hidden',
    read: wire.is_read || known?.read === true || readTo >= wire.seq,
  };
  delete chat.marked[wire.id];
  chat.messages.splice(at, known ? 1 : 0, message);
  if (message.recalled || message.hidden) empty(chat, message);
}

/** A message was recalled or hidden, whether it is known already or not. */
export function mark(chat: Chat, id: string, as: 'recalled' | 'hidden'): void {
  const message = chat.messages.find((known) => known.id === id);
  if (message) {
    message[as] = true;
    empty(chat, message);
  } else {
    chat.marked[id] = as;
    unquote(chat, id);
  }
}

/** Whether a message was recalled or hidden, as far as it is known. */
function isTakenBack(chat: Chat, id: string): boolean {
  return chat.marked[id] !== undefined || chat.messages.some((known) => known.id === id && (known.recalled || known.hidden));
}

/** What the server, too, would not tell any more. */
function empty(chat: Chat, message: Message): void {
  message.content = null;
  message.url = null;
  message.quoteText = null;
  message.ext = null;
  unquote(chat, message.id);
}

/** Words that were taken back do not live on where somebody quotes them. */
function unquote(chat: Chat, id: string): void {
  for (const message of chat.messages) if (message.quote === id) message.quoteText = null;
}

/** Where a message with this `seq` is, or belongs. */
function place(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((messages[middle]?.seq ?? 0) < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
