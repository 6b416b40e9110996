/** What a way to the server offers. The client speaks the frames of docs/PROTOCOL.md over any of them, and cannot tell which. */

import type { ClientFrame, ServerFrame } from './protocol.js';

/** Why a link ended. */
export interface Ending {
  /** The code of the farewell, if there was one. */
  bye: string | null;
  /** The server refused the token before it let anybody in. */
  unauthorized: boolean;
}

export interface LinkEvents {
  /** Every frame; the first one is the welcome. What the link `made` itself is no sign of life. */
  frame(frame: ServerFrame, made?: boolean): void;
  /** The link is gone. Told once, and not after `close`. */
  ended(ending: Ending): void;
}

export interface LinkRequest {
  base: string;
  tenant: string;
  token: () => Promise<string>;
  /** What lies after this index comes, from 0 everything; null: only what comes from now on. */
  after: number | null;
}

export interface Link {
  send(frame: ClientFrame): void;
  close(): void;
}

export interface Transport {
  readonly name: 'socket' | 'poll';
  /** Whether the transport itself notices that nobody answers. */
  readonly watchesItself: boolean;
  open(request: LinkRequest, events: LinkEvents): Link;
}
