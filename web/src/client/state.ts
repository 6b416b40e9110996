/**
 * What the client knows: chats with their messages and conversations. Changed by init's lists, by feed items and by histories, in any
 * mixture; two clients that have seen the same end in the same state. Nothing here reaches the network or a clock.
 */
import type {
  AckFrame,
  ConversationEvent,
  ConversationItem,
  ConversationStatus,
  Category,
  Draft,
  Item,
  MessageKind,
  MessageStyle,
  QueueFrame,
  UnreadFrame,
  Visibility,
  WireChat,
  WireConversation,
  WireMessage,
} from './protocol.js';
import { mark, putMessage } from './timeline.js';

export interface Message {
  id: string;
  /** Its id as the sender minted it. */
  clientId: string;
  chat: string;
  conversation: string | null;
  /** Its place in the chat, from 1. A reader may not see every place. */
  seq: number;
  category: Category;
  style: MessageStyle;
  kind: MessageKind;
  /** Null when it was recalled, hidden or erased. */
  content: string | null;
  from: string;
  /** The name of whoever speaks for the shop; null for others, and of what was taken back. */
  senderName: string | null;
  url: string | null;
  quote: string | null;
  /** What the quoted message said; null without a quote, and when it was taken back. */
  quoteText: string | null;
  ext: unknown;
  visibility: Visibility;
  createdAt: number;
  recalled: boolean;
  hidden: boolean;
  /** By the other side if it is one's own, by oneself otherwise. */
  read: boolean;
}

export interface Conversation {
  id: string;
  status: ConversationStatus;
  /** Who serves, or served last. */
  agent: string | null;
  score: number | null;
  closeReason: string | null;
}

export interface Chat {
  id: string;
  /** Null until the chat is described, and for a group thread. */
  shop: string | null;
  customer: string | null;
  /** An agent hears of a conversation a moment before being a member of its chat; only members may read. */
  joined: boolean;
  /** Whether the server has told what the feed does not say. */
  described: boolean;
  conversation: Conversation | null;
  lastSeq: number;
  readSeq: number;
  lastMessageAt: number | null;
  /** What is known of it, by `seq`. */
  messages: Message[];
  /** Every message from this place on is known; null: the history must be read. */
  loadedFrom: number | null;
  /** How far others are known to have read. */
  reads: Record<string, number>;
  /** Messages that were recalled or hidden before they were known. */
  marked: Record<string, 'recalled' | 'hidden'>;
}

export interface QueuePlace {
  position: number;
  /** Expected wait in seconds, if one can be told. */
  waitS: number | null;
}

export interface State {
  me: string;
  chats: Record<string, Chat>;
  /** Unread messages by chat, as the server counts them. */
  unread: Record<string, number>;
  /** The newest index that these counts have taken in: they may come before the items that they have counted. */
  countedTo: number;
  /** One's own places in queues, by conversation. */
  queue: Record<string, QueuePlace>;
  /** Conversations that the customer was asked to rate while this client looked, and has not. A wish of the moment. */
  invited: Record<string, true>;
  /** The account is another one now: sign in as that one. */
  mergedInto: string | null;
}

export function emptyState(me: string): State {
  return { me, chats: {}, unread: {}, countedTo: 0, queue: {}, invited: {}, mergedInto: null };
}

/** The chat, made if it is not there. */
export function chatOf(state: State, id: string): Chat {
  return (state.chats[id] ??= {
    id,
    shop: null,
    customer: null,
    joined: false,
    described: false,
    conversation: null,
    lastSeq: 0,
    readSeq: 0,
    lastMessageAt: null,
    messages: [],
    loadedFrom: null,
    reads: {},
    marked: {},
  });
}

/** Takes init's word for a chat: it is as new as anything applied before. */
export function applyListed(state: State, listed: WireChat): void {
  const chat = chatOf(state, listed.chat);
  chat.joined = true;
  describe(chat, listed);
  chat.lastSeq = Math.max(chat.lastSeq, listed.last_seq);
  chat.readSeq = Math.max(chat.readSeq, listed.read_seq);
  chat.lastMessageAt = latest(chat.lastMessageAt, listed.last_message_at);
  if (listed.unread > 0) state.unread[listed.chat] = listed.unread;
  if (listed.conversation) {
    takeConversation(chat, listed.conversation);
    const { id, position, wait_s } = listed.conversation;
    if (position != null) state.queue[id] = { position, waitS: wait_s ?? null };
  }
}

/** Fills in what a feed does not say of a chat; what the feed has said already stands. */
export function applyDescription(state: State, described: WireChat): void {
  const chat = state.chats[described.chat];
  if (!chat) return;
  describe(chat, described);
  chat.lastSeq = Math.max(chat.lastSeq, described.last_seq);
  chat.readSeq = Math.max(chat.readSeq, described.read_seq);
  chat.lastMessageAt = latest(chat.lastMessageAt, described.last_message_at);
  if (!chat.conversation && described.conversation) takeConversation(chat, described.conversation);
  const told = described.conversation;
  if (told && chat.conversation?.id === told.id) chat.conversation.score ??= told.score ?? null;
}

function describe(chat: Chat, told: WireChat): void {
  chat.shop = told.shop;
  chat.customer = told.customer;
  chat.described = true;
}

function takeConversation(chat: Chat, wire: WireConversation): void {
  const known = chat.conversation?.id === wire.id ? chat.conversation : null;
  chat.conversation = {
    id: wire.id,
    status: wire.status,
    agent: wire.agent,
    score: wire.score ?? known?.score ?? null,
    closeReason: wire.close_reason ?? known?.closeReason ?? null,
  };
}

/** Applies the next item of the feed. */
export function applyItem(state: State, item: Item): void {
  if (item.gone === true) return;
  switch (item.k) {
    case 'message': {
      const chat = chatOf(state, item.chat);
      putMessage(state.me, chat, item.m);
      chat.lastSeq = Math.max(chat.lastSeq, item.m.seq);
      if (item.m.visibility === 'all') chat.lastMessageAt = latest(chat.lastMessageAt, item.m.created_at);
      break;
    }
    case 'recalled':
    case 'hidden':
      mark(chatOf(state, item.chat), item.message, item.k);
      break;
    case 'read':
      applyRead(state, chatOf(state, item.chat), item.reader, item.up_to_seq);
      break;
    case 'joined': {
      const chat = chatOf(state, item.chat);
      chat.joined = true;
      // What was said before, and while one was not there, is read from the chat.
      chat.loadedFrom = null;
      if (item.role === 'customer') chat.customer = item.user;
      break;
    }
    case 'member_left':
      if (item.user === state.me) {
        delete state.chats[item.chat];
        if (item.i > state.countedTo) delete state.unread[item.chat];
      }
      break;
    case 'conversation':
      applyConversation(state, chatOf(state, item.chat), item);
      break;
    case 'merged_into':
      state.mergedInto = item.into;
      break;
    case 'member_joined':
    case 'thread':
      break;
  }
}

/** Takes the server's counts of unread messages; `known` is the newest index of the feed that was known of when they came. */
export function applyUnread(state: State, frame: UnreadFrame, known: number): void {
  state.countedTo = Math.max(state.countedTo, known);
  if (frame.whole) state.unread = {};
  for (const [chat, count] of Object.entries(frame.chats)) {
    if (count > 0) state.unread[chat] = count;
    else delete state.unread[chat];
  }
}

/** Takes the server's word for a place in a queue. */
export function applyQueue(state: State, frame: QueueFrame): void {
  if (frame.position === null) delete state.queue[frame.conversation];
  else state.queue[frame.conversation] = { position: frame.position, waitS: frame.wait_s };
}

/** Messages of a chat that were read from it. `from`: everything from there on is known now; null: not yet. */
export function applyHistory(state: State, chatId: string, from: number | null, messages: readonly WireMessage[]): void {
  const chat = state.chats[chatId];
  if (!chat) return;
  for (const message of messages) putMessage(state.me, chat, message);
  chat.lastSeq = Math.max(chat.lastSeq, messages.at(-1)?.seq ?? 0);
  if (from !== null) chat.loadedFrom = Math.min(chat.loadedFrom ?? from, from);
}

/** Whether the message to which this user gave this id is there. Everybody mints their own ids, and may use somebody else's. */
export function isThere(state: State, chat: string, user: string, clientId: string): boolean {
  return state.chats[chat]?.messages.some((message) => message.from === user && message.clientId === clientId) ?? false;
}

/** Shows a message that was just acknowledged, before its item comes. */
export function applyAck(state: State, ack: AckFrame, draft: Draft): void {
  const chat = state.chats[ack.chat];
  if (!chat || chat.messages.some((message) => message.seq === ack.seq)) return;
  const quoted = chat.messages.find((message) => message.id === draft.quote);
  putMessage(state.me, chat, {
    id: ack.message,
    client_msg_id: ack.id,
    chat: ack.chat,
    conversation: ack.conversation,
    seq: ack.seq,
    category: chat.customer === state.me ? 'customer' : 'agent',
    style: draft.style ?? 'normal',
    kind: draft.kind ?? 'text',
    content: draft.content,
    from: state.me,
    ...(draft.url === undefined ? {} : { url: draft.url }),
    ...(draft.quote === undefined ? {} : { quote: draft.quote }),
    ...(quoted?.content == null ? {} : { quote_text: quoted.content }),
    ext: draft.ext,
    visibility: draft.visibility ?? 'all',
    created_at: ack.at,
    is_recalled: false,
    is_deleted: false,
    is_read: false,
  });
}

function applyRead(state: State, chat: Chat, reader: string, upTo: number): void {
  const own = reader === state.me;
  if (own) chat.readSeq = Math.max(chat.readSeq, upTo);
  else chat.reads[reader] = Math.max(chat.reads[reader] ?? 0, upTo);
  for (const message of chat.messages) {
    if (message.seq <= upTo && (message.from === state.me) !== own) message.read = true;
  }
}

/** Events that tell of a conversation which was not known before. */
const BEGINNING: ReadonlySet<ConversationEvent> = new Set(['opened', 'handed_off', 'agent_assigned', 'reopened']);

function applyConversation(state: State, chat: Chat, item: ConversationItem): void {
  let conversation = chat.conversation;
  if (conversation?.id !== item.conversation) {
    // The feed is in the order of the log, so a conversation that begins after the known one is the newer one.
    if (conversation && !BEGINNING.has(item.event)) return;
    conversation = chat.conversation = { id: item.conversation, status: 'reception', agent: null, score: null, closeReason: null };
  }
  const open = conversation.status !== 'closed';
  switch (item.event) {
    case 'handed_off':
      if (open) conversation.status = item.left_message ? 'left_message' : 'waiting';
      break;
    case 'agent_assigned':
      conversation.agent = item.agent ?? null;
      if (open) conversation.status = 'serving';
      break;
    case 'agent_released':
      // What is to be answered later stays so when its agent gives it back.
      if (open && conversation.status !== 'left_message') conversation.status = 'waiting';
      break;
    case 'message_left':
      if (open) conversation.status = 'left_message';
      break;
    case 'rating_invited':
      state.invited[conversation.id] = true;
      break;
    case 'rated':
      delete state.invited[conversation.id];
      conversation.score = item.score ?? null;
      break;
    case 'closed':
      conversation.status = 'closed';
      conversation.closeReason = item.reason ?? null;
      break;
    case 'reopened':
      conversation.status = 'reception';
      conversation.closeReason = null;
      break;
    case 'opened':
    case 'hand_off_refused':
    case 'moved':
    case 'customer_replaced':
    case 'provider_queueing':
    case 'provider_accepted':
      break;
  }
}

function latest(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : Math.max(one, other);
}
