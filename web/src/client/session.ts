/**
 * A sign-in: its tokens, kept in the store and exchanged before they run out.
 *
 * A refresh token is good once. The exchange carries an idempotency key that follows from the token, so that a repeat after a
 * lost answer, and a second window over the same store, are answered with the same new pair. It must not know what tokens are for.
 */

import type { Environment } from './environment.js';
import { ApiError, type Http } from './http.js';
import type { KeyValueStore } from './store.js';

/** What a sign-in route answers. */
export interface SignedIn {
  user: string;
  session: string;
  access_token: string;
  expires_in: number;
  refresh_token: string;
}

interface Kept {
  tenant: string;
  user: string;
  session: string;
  accessToken: string;
  refreshToken: string;
  /** By the clock of this machine. */
  expiresAt: number;
}

/** The sign-in is over; only signing in again helps. */
export class SignedOutError extends Error {
  constructor(readonly code: string) {
    super(`signed out: ${code}`);
    this.name = 'SignedOutError';
  }
}

const KEY = 'session';
/** A token is exchanged this long before its end, at most a third of its life. */
const AHEAD_MS = 60_000;

export interface SessionContext {
  environment: Environment;
  http: Http;
  store: KeyValueStore;
}

export class Session {
  private refreshing: Promise<void> | null = null;
  private ended: SignedOutError | null = null;

  private constructor(
    private readonly context: SessionContext,
    private kept: Kept,
  ) {}

  /** Signs an anonymous customer in. */
  static async anonymous(context: SessionContext, tenant: string, device: string, language?: string): Promise<Session> {
    return Session.begin(context, tenant, 'customers/sign-in', { device, ...(language === undefined ? {} : { language }) });
  }

  /** Signs a customer in whom the tenant vouches for. */
  static async identified(context: SessionContext, tenant: string, identityToken: string, device: string): Promise<Session> {
    return Session.begin(context, tenant, 'customers/sign-in', { identity_token: identityToken, device });
  }

  /** Signs a member of staff in. */
  static async staff(context: SessionContext, tenant: string, login: string, password: string, device: string): Promise<Session> {
    return Session.begin(context, tenant, 'sign-in', { login, password, device });
  }

  /** A sign-in from elsewhere, for example of a server that mints them. */
  static async of(context: SessionContext, tenant: string, signedIn: SignedIn): Promise<Session> {
    const session = new Session(context, keptOf(context.environment, tenant, signedIn));
    await session.keep();
    return session;
  }

  /** The sign-in that the store holds, if it is one of this tenant. */
  static async restore(context: SessionContext, tenant: string): Promise<Session | null> {
    const kept = await read(context.store);
    return kept?.tenant === tenant ? new Session(context, kept) : null;
  }

  private static async begin(context: SessionContext, tenant: string, route: string, body: object): Promise<Session> {
    const call = { method: 'POST', path: `/v1/tenants/${tenant}/${route}`, body } as const;
    return Session.of(context, tenant, await context.http.once<SignedIn>(call));
  }

  get tenant(): string {
    return this.kept.tenant;
  }
  get user(): string {
    return this.kept.user;
  }
  get id(): string {
    return this.kept.session;
  }

  /** A token that is good now. */
  async accessToken(): Promise<string> {
    if (this.ended) throw this.ended;
    if (this.context.environment.now() >= this.kept.expiresAt) await this.refresh(this.kept.accessToken);
    return this.kept.accessToken;
  }

  /** The server refused this token: gets another one, or fails with `SignedOutError`. */
  async refresh(refused: string): Promise<void> {
    if (this.ended) throw this.ended;
    this.refreshing ??= this.exchange(refused).finally(() => (this.refreshing = null));
    return this.refreshing;
  }

  /** Ends the sign-in here and on the server. */
  async signOut(): Promise<void> {
    const call = { method: 'POST', path: `/v1/tenants/${this.tenant}/sign-out` } as const;
    try {
      await this.context.http.once({ ...call, token: await this.accessToken() });
    } finally {
      await this.end('signed_out');
    }
  }

  private async exchange(refused: string): Promise<void> {
    if (this.kept.accessToken !== refused) return;
    const stored = await read(this.context.store);
    if (stored && stored.session === this.kept.session && stored.refreshToken !== this.kept.refreshToken) {
      // Another window over the same store was faster.
      this.kept = stored;
      if (stored.accessToken !== refused && this.context.environment.now() < stored.expiresAt) return;
    }
    const { tenant, refreshToken } = this.kept;
    const call = {
      method: 'POST',
      path: `/v1/tenants/${tenant}/token/refresh`,
      body: { refresh_token: refreshToken },
      idempotencyKey: `refresh-${fingerprint(refreshToken)}`,
    } as const;
    try {
      this.kept = keptOf(this.context.environment, tenant, await this.context.http.once<SignedIn>(call));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        await this.end(error.code);
        throw this.ended ?? error;
      }
      throw error;
    }
    await this.keep();
  }

  private async end(code: string): Promise<void> {
    this.ended = new SignedOutError(code);
    const stored = await read(this.context.store);
    if (stored?.session === this.kept.session) await this.context.store.delete(KEY);
  }

  private async keep(): Promise<void> {
    await this.context.store.set(KEY, JSON.stringify(this.kept));
  }
}

async function read(store: KeyValueStore): Promise<Kept | null> {
  const text = await store.get(KEY);
  return text === null ? null : (JSON.parse(text) as Kept);
}

function keptOf(environment: Environment, tenant: string, signedIn: SignedIn): Kept {
  const lifeMs = signedIn.expires_in * 1_000;
  return {
    tenant,
    user: signedIn.user,
    session: signedIn.session,
    accessToken: signedIn.access_token,
    refreshToken: signedIn.refresh_token,
    expiresAt: environment.now() + lifeMs - Math.min(AHEAD_MS, lifeMs / 3),
  };
}

/** Tells one token from another (FNV-1a, twice 32 bits); it need not resist anybody, the token travels in the same request. */
function fingerprint(text: string): string {
  const half = (seed: number) => {
    let hash = seed;
    for (let nth = 0; nth < text.length; nth += 1) hash = Math.imul(hash ^ text.charCodeAt(nth), 0x01000193);
    return (hash >>> 0).toString(16).padStart(8, '0');
  };
  return half(0x811c9dc5) + half(0x9dc5811c);
}
