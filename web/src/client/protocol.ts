/**
 * The words of docs/PROTOCOL.md as types: frames, items, and the bodies of init and of the long poll.
 * It must not know what anybody does with them.
 */

export type MessageKind = 'text' | 'picture' | 'video' | 'audio' | 'file' | 'unknown';
export type MessageStyle = 'normal' | 'card' | 'order' | 'rating' | 'toast';
export type Category = 'system' | 'customer' | 'agent' | 'robot';
export type Visibility = 'all' | 'staff';
export type ConversationStatus = 'reception' | 'waiting' | 'left_message' | 'serving' | 'closed';

/** What somebody says; the rest of a message is made by the client and the server. */
export interface Draft {
  content: string;
  kind?: MessageKind;
  style?: MessageStyle;
  url?: string;
  ext?: unknown;
  /** The id of the message that is quoted. */
  quote?: string;
  /** `staff` for a note that the customer never sees. */
  visibility?: Visibility;
  /** The desk's assignment under which an agent writes. */
  assignment?: number;
  /** The id of the robot's suggestion that was taken, also when it was changed. */
  suggestion?: string;
}

/** What a robot would answer in place of whoever serves. */
export interface Suggested {
  suggestion: string;
  /** The likeliest first; none, if it does not know. `confidence` is in percent. */
  answers: { text: string; confidence: number }[];
  hints: string[];
}

/** A message as its reader sees it on the wire. */
export interface WireMessage {
  id: string;
  client_msg_id: string;
  chat: string;
  conversation: string | null;
  seq: number;
  category: Category;
  style: MessageStyle;
  kind: MessageKind;
  content: string | null;
  /** To a customer, whoever speaks for the shop has the id of the chat. */
  from: string;
  /** The name of whoever speaks for the shop, as it stood then. */
  sender_name?: string;
  url?: string;
  quote?: string;
  quote_text?: string;
  ext?: unknown;
  visibility: Visibility;
  assignment?: number;
  created_at: number;
  is_recalled: boolean;
  is_deleted: boolean;
  is_read: boolean;
}

interface ItemHead {
  t: 'item';
  i: number;
  p: number;
  pos: string;
  at: number;
  /** The fact is gone for good; its number stays. */
  gone?: boolean;
}

export interface MessageItem extends ItemHead {
  k: 'message';
  chat: string;
  m: WireMessage;
}
export interface MessageChangedItem extends ItemHead {
  k: 'recalled' | 'hidden';
  chat: string;
  message: string;
  seq: number;
  by: string;
}
export interface ReadItem extends ItemHead {
  k: 'read';
  chat: string;
  reader: string;
  up_to_seq: number;
}
export interface JoinedItem extends ItemHead {
  k: 'joined' | 'member_joined';
  chat: string;
  user: string;
  role: string;
  assignment?: number;
}
export interface LeftItem extends ItemHead {
  k: 'member_left';
  chat: string;
  user: string;
}
export type ConversationEvent =
  | 'opened'
  | 'handed_off'
  | 'hand_off_refused'
  | 'message_left'
  | 'moved'
  | 'agent_assigned'
  | 'agent_released'
  | 'rating_invited'
  | 'rated'
  | 'closed'
  | 'reopened'
  | 'customer_replaced'
  | 'provider_queueing'
  | 'provider_accepted';
export interface ConversationItem extends ItemHead {
  k: 'conversation';
  chat: string;
  conversation: string;
  event: ConversationEvent;
  agent?: string;
  assignment?: number;
  group?: string;
  task?: string;
  reason?: string;
  score?: number;
  /** Of a provider: its title, and the customer's place in its queue. */
  agent_name?: string;
  position?: number;
  /** Of a hand-off: it is answered later. */
  left_message?: boolean;
  /** Of a refused hand-off: when somebody is there again. */
  opens_at?: number;
}
/** Something about a group thread is otherwise; what it is now is read from the thread. */
export interface ThreadItem extends ItemHead {
  k: 'thread';
  chat: string;
  event: string;
  user: string;
}
export interface MergedItem extends ItemHead {
  k: 'merged_into';
  into: string;
}
export type Item =
  | MessageItem
  | MessageChangedItem
  | ReadItem
  | JoinedItem
  | LeftItem
  | ConversationItem
  | ThreadItem
  | MergedItem;

export interface WelcomeFrame {
  t: 'welcome';
  user: string;
  tenant: string;
  head: number;
  now: number;
  ping_after_ms?: number;
  dead_after_ms?: number;
}
export interface AckFrame {
  t: 'ack';
  id: string;
  message: string;
  chat: string;
  seq: number;
  conversation: string | null;
  at: number;
  pos: string;
}
export interface NackFrame {
  t: 'nack';
  code: string;
  detail: string;
  retry: boolean;
  id?: string;
  chat?: string;
  message?: string;
  /** The id of the message to come whose growing text was refused. */
  chunk?: string;
  after?: number;
  to?: number;
}
export interface UnreadFrame {
  t: 'unread';
  chats: Record<string, number>;
  whole: boolean;
}
export interface QueueFrame {
  t: 'queue';
  conversation: string;
  position: number | null;
  wait_s: number | null;
}
export interface TypingFrame {
  t: 'typing';
  chat: string;
  user?: string;
  on: boolean;
}
export interface PresenceFrame {
  t: 'presence';
  user: string;
  online: boolean;
}
/** How a watched group stands. */
export interface BoardFrame {
  t: 'board';
  group: string;
  waiting: number;
  /** Since when the one waits that has waited longest, by the server's clock. */
  oldest_at: number | null;
  agents: number;
  on_service: number;
  free_slots: number;
  left_messages: number;
  in_service: number;
}
/** How a group stands is not told to this user any more. */
export interface BoardGoneFrame {
  t: 'board';
  group: string;
  gone: true;
}
/** What a robot has written so far of a message to come. */
export interface ChunkFrame {
  t: 'chunk';
  chat: string;
  user: string;
  /** The id that the message will come under. */
  id: string;
  content: string;
}
export interface PongFrame {
  t: 'pong';
  now: number;
}
export interface ByeFrame {
  t: 'bye';
  code: string;
  detail: string;
}
/** What the server says. A frame of a type that is not here is passed over. */
export type ServerFrame =
  | WelcomeFrame
  | Item
  | AckFrame
  | NackFrame
  | UnreadFrame
  | QueueFrame
  | TypingFrame
  | PresenceFrame
  | BoardFrame
  | BoardGoneFrame
  | ChunkFrame
  | PongFrame
  | ByeFrame;

export interface SendFrame extends Draft {
  t: 'send';
  id: string;
  chat: string;
}
/** What a device says after its hello. */
export type ClientFrame =
  | SendFrame
  | { t: 'receive'; i: number }
  | { t: 'read'; chat: string; seq: number }
  | { t: 'recall' | 'hide'; chat: string; message: string }
  | { t: 'typing'; chat: string; on: boolean }
  | { t: 'chunk'; chat: string; id: string; content: string; visibility?: Visibility }
  | { t: 'range'; after: number; to: number }
  | { t: 'watch'; users: string[] }
  | { t: 'watch_board'; groups: string[] }
  | { t: 'ping' };

/** One of init's chats, and the answer to `session_detail`. */
export interface WireChat {
  chat: string;
  /** Null for a group thread. */
  shop: string | null;
  customer: string | null;
  conversation: WireConversation | null;
  last_seq: number;
  read_seq: number;
  unread: number;
  last_message_at: number | null;
}
export interface WireConversation {
  id: string;
  status: ConversationStatus;
  agent: string | null;
  position?: number | null;
  wait_s?: number | null;
  score?: number | null;
  close_reason?: string | null;
}

export interface Limits {
  content_bytes_max: number;
  frame_bytes_max: number;
  recall_window_ms: number;
  poll_wait_ms: number;
  ping_after_ms: number;
  dead_after_ms: number;
}

/** Where a client can connect. */
export interface NodeAddress {
  /** Empty: where the request went that told it. */
  url: string;
  connections: number;
}

/** The answer to `POST /v1/init`. */
export interface Init {
  user: string;
  tenant: string;
  role: string;
  now: number;
  head: number;
  chats: WireChat[];
  more_chats: boolean;
  limits: Limits;
  nodes: NodeAddress[];
}

export interface PollRequest {
  device: string;
  after?: number;
  signals?: number;
  rs_id: string;
  wait_ms: number;
}
export interface PollAnswer {
  rs_id?: string;
  now: number;
  head: number;
  next: number;
  signals: number;
  more: boolean;
  superseded?: boolean;
  events: { bizCode: string; frame: ServerFrame }[];
}

/** What holds until the server tells its own limits. */
export const DEFAULT_LIMITS: Limits = {
  content_bytes_max: 16 * 1024,
  frame_bytes_max: 64 * 1024,
  recall_window_ms: 120_000,
  poll_wait_ms: 25_000,
  ping_after_ms: 25_000,
  dead_after_ms: 75_000,
};
