/** What is merely current and told beside the feed: who writes, what robots write, who is there, how groups stand. */

import type { Again } from './again.js';
import { Chunks } from './chunks.js';
import type { Environment } from './environment.js';
import type { BoardFrame, ClientFrame, Item, NackFrame, ServerFrame } from './protocol.js';
import { Typing } from './typing.js';

export interface SignalsPort {
  environment: Environment;
  again: Again;
  me: string;
  send(frame: ClientFrame): boolean;
  changed(): void;
  /** Whether the message to which this user gave this id is there already. */
  isThere(chat: string, user: string, id: string): boolean;
}

export class Signals {
  readonly typing: Typing;
  readonly chunks: Chunks;
  private readonly presence = new Map<string, boolean>();
  private readonly boards = new Map<string, BoardFrame>();
  private users: string[] = [];
  private groups: string[] = [];

  constructor(private readonly port: SignalsPort) {
    const { environment, changed, isThere, send } = port;
    this.typing = new Typing({ environment, tell: (chat, on) => send({ t: 'typing', chat, on }), changed });
    this.chunks = new Chunks({ environment, isThere, changed });
  }

  /** Takes a signal; what is none of these came after this client, and is passed over. */
  heard(frame: ServerFrame): void {
    switch (frame.t) {
      case 'typing':
        if (frame.user !== this.port.me) this.typing.heard(frame.chat, frame.user ?? '', frame.on);
        break;
      case 'chunk':
        if (frame.user !== this.port.me) this.chunks.heard(frame);
        break;
      case 'presence':
        this.presence.set(frame.user, frame.online);
        this.port.changed();
        break;
      case 'board':
        // One that was on its way when it was watched no more is not wanted.
        if ('gone' in frame) this.boards.delete(frame.group);
        else if (this.groups.includes(frame.group)) this.boards.set(frame.group, frame);
        this.port.changed();
        break;
    }
  }

  /** An item was applied: whoever has said it does not write it any more. */
  applied(item: Item): void {
    if (item.k !== 'message' || item.m.from === this.port.me) return;
    this.typing.heard(item.chat, item.m.from, false);
    this.chunks.arrived(item.chat, item.m.from, item.m.client_msg_id);
  }

  isOnline(user: string): boolean | null {
    return this.presence.get(user) ?? null;
  }

  board(group: string): BoardFrame | null {
    return this.boards.get(group) ?? null;
  }

  /** Follows who of these is online; replaces whom it followed before. */
  watch(users: readonly string[]): void {
    this.users = [...users];
    this.presence.clear();
    this.port.send({ t: 'watch', users: this.users });
  }

  /** Follows how these groups stand; replaces those before. What is known of one that stays is shown until it is told anew. */
  watchBoards(groups: readonly string[]): void {
    this.groups = [...groups];
    for (const known of [...this.boards.keys()]) if (!groups.includes(known)) this.boards.delete(known);
    this.port.send({ t: 'watch_board', groups: this.groups });
  }

  /** A refusal that names nothing speaks of a watch, and does not say of which: both replace what they said before. */
  refused({ retry }: NackFrame): void {
    if (retry) this.port.again.later('watch', () => this.linkUp());
  }

  /** A new link: says again what is watched. */
  linkUp(): void {
    if (this.users.length > 0) this.port.send({ t: 'watch', users: this.users });
    if (this.groups.length > 0) this.port.send({ t: 'watch_board', groups: this.groups });
  }

  /** What was being written is not known any more. */
  linkLost(): void {
    this.typing.clear();
    this.chunks.clear();
  }
}
