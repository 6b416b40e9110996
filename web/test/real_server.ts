/** A real kefu in a process of its own, over a directory of its own; killed and started again as a test wants. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import {
  Client,
  type ClientOptions,
  Http,
  type KeyValueStore,
  MemoryStore,
  Session,
  type SessionContext,
  realEnvironment,
} from '../src/client/index.js';

const ROOT = resolve(import.meta.dirname, '../../../..');
const BINARY = process.env['KEFU_BIN'] ?? join(process.env['CARGO_TARGET_DIR'] ?? join(ROOT, 'target'), 'debug/kefu');
export const PAGES = join(ROOT, 'web/dist');
export const TENANT = 'demo';
export const SHOP = 'flagship';
const PASSWORD = 'kefu-demo-2026';
/** Nothing here takes so long; a test that waits longer has found a fault. */
const PATIENCE_MS = 30_000;

export class RealServer {
  url = '';
  private process: ChildProcess | null = null;

  private constructor(readonly directory: string) {}

  static async start(): Promise<RealServer> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: cargo build -p adapters --bin kefu, or set KEFU_BIN`);
    const server = new RealServer(await mkdtemp(join(tmpdir(), 'kefu-web-')));
    await server.serve(0);
    return server;
  }

  /** Ends it in the hardest way. */
  async kill(): Promise<void> {
    const running = this.process;
    this.process = null;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  }

  /** Starts it again where it was. */
  async restart(): Promise<void> {
    await this.serve(Number(new URL(this.url).port));
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async serve(port: number): Promise<void> {
    const place = ['--data', join(this.directory, 'data'), '--listen', `127.0.0.1:${port}`, '--pages', PAGES];
    const started = spawn(BINARY, ['serve', ...place, '--operator-key', 'operator', '--demo'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, KEFU_LOG: 'warn' },
    });
    this.process = started;
    let complaints = '';
    started.stderr?.on('data', (text: Buffer) => (complaints += text.toString()));
    for await (const line of createInterface({ input: started.stdout! })) {
      const url = /^listening on (\S+)$/.exec(line)?.[1];
      if (url === undefined) continue;
      this.url = url;
      started.stdout?.resume();
      return;
    }
    throw new Error(`kefu did not start: ${complaints}`);
  }

  async customer(options: Partial<ClientOptions> & { sockets?: boolean } = {}): Promise<Client> {
    return this.client(options, (context) => Session.anonymous(context, TENANT, 'test'));
  }

  async agent(login: string, options: Partial<ClientOptions> & { sockets?: boolean } = {}): Promise<Client> {
    return this.client(options, (context) => Session.staff(context, TENANT, login, PASSWORD, 'test'));
  }

  /** Another device of somebody who is signed in. */
  async another(client: Client, options: Partial<ClientOptions> & { sockets?: boolean } = {}): Promise<Client> {
    return this.client(options, async () => client.session);
  }

  private async client(
    options: Partial<ClientOptions> & { sockets?: boolean },
    signIn: (context: SessionContext) => Promise<Session>,
  ): Promise<Client> {
    const real = realEnvironment();
    const environment = options.sockets === false ? { ...real, openSocket: null } : real;
    const store: KeyValueStore = options.store ?? new MemoryStore();
    const session = await signIn({ environment, http: new Http(environment, () => this.url), store });
    const client = new Client({ begin: 'list', ...options, session, store, base: this.url, environment });
    await client.start();
    return client;
  }
}

/** Waits until something is so. */
export async function until(client: Client | readonly Client[], what: string, isSo: () => boolean): Promise<void> {
  if (isSo()) return;
  await new Promise<void>((done, fail) => {
    const timer = setTimeout(() => finish(() => fail(new Error(`not within ${PATIENCE_MS} ms: ${what}`))), PATIENCE_MS);
    const stops = [client].flat().map((watched) => watched.subscribe(() => isSo() && finish(done)));
    const finish = (then: () => void) => {
      clearTimeout(timer);
      for (const stop of stops) stop();
      then();
    };
  });
}
