/** The client of kefu: sign in, make a `Client`, start it, show its state. docs/PROTOCOL.md is what it follows. */

export { Api, type Attachment, type Entry, type Rating, type Thread, type ThreadMember, type TransferTarget } from './api.js';
export { Answer, AnswerOverError, type Growing } from './chunks.js';
export { pauseMs } from './backoff.js';
export { Client } from './client.js';
export type { LinkStatus } from './connection.js';
export { type Environment, type HttpRequest, type SocketLike, type Timer, realEnvironment } from './environment.js';
export { ApiError, Http, NetworkError, mayPass } from './http.js';
export type { OutgoingMessage } from './outbox.js';
export type { Beginning, ClientOptions } from './options.js';
export type * from './protocol.js';
export { Session, type SessionContext, type SignedIn, SignedOutError } from './session.js';
export { type Chat, type Conversation, type Message, type QueuePlace, type State } from './state.js';
export { IndexedStore, openBrowserStore } from './indexed_store.js';
export { BrowserStore, type KeyValueStore, MemoryStore, StoreError } from './store.js';
export { waitingSince } from './waiting.js';
