/** What a unit test begins with: a fake server, a fake clock, and clients of it. */

import { Client, type ClientOptions, Http, type KeyValueStore, MemoryStore, Session, type State } from '../src/client/index.js';
import { FakeClock, settle } from './fake_clock.js';
import { FakeServer } from './fake_server.js';

export const ANN = 'ann';
export const BEN = 'ben';

export interface Device {
  client: Client;
  store: KeyValueStore;
}

export class World {
  readonly clock = new FakeClock();
  readonly server = new FakeServer(this.clock);

  /** A client of this user, not started. */
  async device(user: string, options: Partial<ClientOptions> & { sockets?: boolean } = {}): Promise<Device> {
    const environment = this.clock.environment(this.server.fetch, options.sockets === false ? null : this.server.openSocket);
    const store = options.store ?? new MemoryStore();
    const context = { environment, http: new Http(environment, () => 'http://kefu'), store };
    const token = this.server.token(user);
    const signedIn = { user, session: `session-${user}`, access_token: token, expires_in: 900, refresh_token: token };
    const session = (await Session.restore(context, 't')) ?? (await Session.of(context, 't', signedIn));
    const begin = options.begin ?? 'list';
    return { client: new Client({ session, store, begin, base: 'http://kefu', environment }), store };
  }

  /** A client of this user, started and connected. */
  async online(user: string, options: Partial<ClientOptions> & { sockets?: boolean } = {}): Promise<Device> {
    const device = await this.device(user, options);
    await device.client.start();
    await settle();
    return device;
  }

  /** What this user has said, without what every client says now and then. */
  said(user: string, type: string): unknown[] {
    return this.server.heard.filter(({ user: by, frame }) => by === user && frame.t === type).map(({ frame }) => frame);
  }
}

/** A world in which two people talk. */
export async function talking(): Promise<{ world: World; chat: string }> {
  const world = new World();
  const chat = world.server.openChat(ANN);
  world.server.assign(chat, BEN);
  return { world, chat };
}

/** The texts of a chat as a client knows them. */
export function texts(client: Client, chat: string): (string | null)[] {
  return client.state.chats[chat]?.messages.map((message) => message.content) ?? [];
}

/** The state without what only says how it was come by. */
export function comparable(state: Readonly<State>): unknown {
  const chats = Object.values(state.chats).map(({ loadedFrom: _, reads: __, marked: ___, ...chat }) => chat);
  return { me: state.me, chats: chats.sort((one, other) => (one.id < other.id ? -1 : 1)), unread: state.unread, queue: state.queue };
}
