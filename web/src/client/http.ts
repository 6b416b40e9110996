/** Requests to the API: problems as typed errors, changes repeated under one idempotency key. It must not know a route. */

import { pauseMs } from './backoff.js';
import type { Environment } from './environment.js';

/** The server refused, or could not. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** What programs look at (docs/API.md, "Errors"). */
    readonly code: string,
    /** For people. */
    readonly detail: string,
    /** After how long the server wants to be asked again, if it said so. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(`${code}: ${detail}`);
    this.name = 'ApiError';
  }

  /** Whether the same request can succeed later. */
  get retry(): boolean {
    return this.status === 429 || this.status >= 500;
  }
}

/** No answer came: nobody knows whether the request arrived. */
export class NetworkError extends Error {
  constructor(cause: unknown) {
    super('no answer from the server', { cause });
    this.name = 'NetworkError';
  }
}

/** Whether what failed so can succeed later. */
export function mayPass(error: unknown): boolean {
  return error instanceof NetworkError || (error instanceof ApiError && error.retry);
}

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** Sent as JSON, or as it is if it is a file. */
  body?: unknown;
  token?: string;
  idempotencyKey?: string;
  /** How long the answer may take. */
  timeoutMs?: number;
  /** Gives the request up. */
  signal?: AbortSignal;
}

const TIMEOUT_MS = 15_000;
const TRIES = 5;

export class Http {
  constructor(
    private readonly environment: Environment,
    /** Where the server is, without a slash at the end; empty for the page's own. */
    private readonly base: () => string,
  ) {}

  /** One request, one answer. */
  async once<Answer>(call: Call): Promise<Answer> {
    return this.ask(call, async (response) => {
      const text = await response.text();
      return (text === '' ? {} : JSON.parse(text)) as Answer;
    });
  }

  /** Repeats a request that may have been lost or can succeed later. A change must carry an idempotency key. */
  async repeated<Answer>(call: Call): Promise<Answer> {
    return this.repeat(call, () => this.once<Answer>(call));
  }

  /** A request that is answered with a file, repeated in the same way. */
  async file(call: Call): Promise<Blob> {
    return this.repeat(call, () => this.ask(call, (response) => response.blob()));
  }

  private async ask<Answer>(call: Call, read: (response: Response) => Promise<Answer>): Promise<Answer> {
    const giveUp = new AbortController();
    const timer = this.environment.after(call.timeoutMs ?? TIMEOUT_MS, () => giveUp.abort(new Error('no answer in time')));
    const forward = () => giveUp.abort(call.signal?.reason);
    call.signal?.addEventListener('abort', forward);
    if (call.signal?.aborted) forward();
    const isFile = call.body instanceof Blob;
    const headers: Record<string, string> = { accept: 'application/json' };
    if (call.token !== undefined) headers['authorization'] = `Bearer ${call.token}`;
    if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey;
    // What a file is, its content tells; what it calls itself is not believed.
    if (call.body !== undefined) headers['content-type'] = isFile ? 'application/octet-stream' : 'application/json';
    const body = isFile ? (call.body as Blob) : JSON.stringify(call.body);
    try {
      const response = await this.environment.fetch(this.base() + call.path, {
        method: call.method,
        headers,
        signal: giveUp.signal,
        ...(call.body === undefined ? {} : { body }),
      });
      if (!response.ok) throw problem(response, await response.text());
      return await read(response);
    } catch (error) {
      throw error instanceof ApiError ? error : new NetworkError(error);
    } finally {
      timer.cancel();
      call.signal?.removeEventListener('abort', forward);
    }
  }

  private async repeat<Answer>(call: Call, ask: () => Promise<Answer>): Promise<Answer> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await ask();
      } catch (error) {
        if (!mayPass(error) || attempt + 1 >= TRIES || call.signal?.aborted) throw error;
        const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
        const pause = Math.max(asked, pauseMs(attempt, this.environment.random()));
        await new Promise<void>((resolve) => this.environment.after(pause, resolve));
      }
    }
  }
}

function problem(response: Response, text: string): ApiError {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : null;
  try {
    const body = JSON.parse(text) as { code?: string; detail?: string; title?: string };
    return new ApiError(response.status, body.code ?? 'unknown', body.detail ?? body.title ?? '', retryAfterMs);
  } catch {
    // A proxy's page, for example.
    return new ApiError(response.status, 'unknown', `status ${response.status}`, retryAfterMs);
  }
}
