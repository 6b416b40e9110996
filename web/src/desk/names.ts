/** How the desk calls people: customers are anonymous to agents, so a part of their id has to do; colleagues by what they were seen as. */

import type { Client } from '../client/index.js';
import type { Kept } from './kept.js';

const NAME = 'colleagues';

/** The end of an id, which is where ids differ. */
export function nameOfUser(id: string): string {
  return id.slice(-4).toUpperCase();
}

/** What colleagues are called: the list of agents tells, and what they say bears their names. */
export class Colleagues {
  private readonly names: Map<string, string>;
  private readonly read = new WeakSet<object>();

  constructor(
    private readonly client: Client,
    private readonly kept: Kept,
  ) {
    this.names = new Map(Object.entries(kept.read<Record<string, string>>(NAME) ?? {}));
  }

  nameOf(user: string): string {
    return this.names.get(user) ?? nameOfUser(user);
  }

  /** Looks at what was said meanwhile. */
  learn(): void {
    for (const { messages } of Object.values(this.client.state.chats)) {
      for (const message of messages) {
        if (this.read.has(message)) continue;
        this.read.add(message);
        if (message.category === 'agent' && message.senderName) this.note(message.from, message.senderName);
      }
    }
  }

  note(user: string, name: string): void {
    if (this.names.get(user) === name) return;
    this.names.set(user, name);
    this.kept.write(NAME, Object.fromEntries(this.names));
  }
}
