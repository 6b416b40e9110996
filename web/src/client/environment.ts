/**
 * What the client needs of the place where it runs: time, timers, randomness, fetch and sockets.
 * Everything else in this folder reaches the world through it, so that tests can put a world of their own here.
 */

export interface Timer {
  cancel(): void;
}

/** The part of a WebSocket that is used. */
export interface SocketLike {
  send(text: string): void;
  close(): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: (() => void) | null;
}

export interface HttpRequest {
  method: string;
  headers: Record<string, string>;
  body?: string | Blob;
  signal: AbortSignal;
}

export interface Environment {
  /** Milliseconds since 1970 by the clock of this machine. */
  now(): number;
  /** Runs something once, later. */
  after(delayMs: number, run: () => void): Timer;
  /** From 0, below 1. */
  random(): number;
  randomBytes(count: number): Uint8Array;
  fetch(url: string, request: HttpRequest): Promise<Response>;
  /** None where there are no sockets: the client polls then. */
  openSocket: ((url: string) => SocketLike) | null;
  /** Tells when this machine has lost its network, or has one again, where it knows. Answers how to stop that. */
  onNetwork(listener: (there: boolean) => void): () => void;
}

/** The world as a browser, a webview or Node offers it. */
export function realEnvironment(): Environment {
  return {
    now: () => Date.now(),
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
    random: () => Math.random(),
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    fetch: (url, request) => fetch(url, request),
    openSocket: typeof WebSocket === 'undefined' ? null : (url) => new WebSocket(url) as unknown as SocketLike,
    onNetwork(listener) {
      if (typeof window === 'undefined') return () => undefined;
      const [gone, back] = [() => listener(false), () => listener(true)];
      window.addEventListener('offline', gone);
      window.addEventListener('online', back);
      return () => {
        window.removeEventListener('offline', gone);
        window.removeEventListener('online', back);
      };
    },
  };
}
