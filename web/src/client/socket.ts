/** The way over a WebSocket: one text frame is one frame of the protocol. */

import type { Environment, SocketLike } from './environment.js';
import type { ClientFrame, ServerFrame } from './protocol.js';
import { SignedOutError } from './session.js';
import type { Link, LinkEvents, LinkRequest, Transport } from './transport.js';

export class SocketTransport implements Transport {
  readonly name = 'socket';
  readonly watchesItself = false;

  constructor(private readonly openSocket: NonNullable<Environment['openSocket']>) {}

  open(request: LinkRequest, events: LinkEvents): Link {
    return new SocketLink(this.openSocket, request, events);
  }
}

class SocketLink implements Link {
  private socket: SocketLike | null = null;
  private over = false;
  private bye: string | null = null;

  constructor(
    openSocket: NonNullable<Environment['openSocket']>,
    request: LinkRequest,
    private readonly events: LinkEvents,
  ) {
    void this.begin(openSocket, request);
  }

  send(frame: ClientFrame): void {
    try {
      this.socket?.send(JSON.stringify(frame));
    } catch {
      // A socket that is closing; `ended` follows.
    }
  }

  close(): void {
    this.over = true;
    this.socket?.close();
  }

  private async begin(openSocket: NonNullable<Environment['openSocket']>, request: LinkRequest): Promise<void> {
    let token: string;
    let socket: SocketLike;
    try {
      token = await request.token();
      if (this.over) return;
      socket = openSocket(socketAddress(request.base));
    } catch (error) {
      this.end(error instanceof SignedOutError);
      return;
    }
    this.socket = socket;
    socket.onopen = () => {
      const hello = { t: 'hello', token, ...(request.after === null ? {} : { after: request.after }) };
      socket.send(JSON.stringify(hello));
    };
    socket.onmessage = (event) => this.heard(event.data);
    socket.onerror = () => this.end();
    socket.onclose = () => this.end();
  }

  private heard(data: unknown): void {
    if (this.over || typeof data !== 'string') return;
    const frame = JSON.parse(data) as ServerFrame;
    if (frame.t === 'bye') {
      this.bye = frame.code;
      this.end();
    } else {
      this.events.frame(frame);
    }
  }

  private end(unauthorized = false): void {
    if (this.over) return;
    this.close();
    this.events.ended({ bye: this.bye, unauthorized });
  }
}

function socketAddress(base: string): string {
  const here = base === '' ? globalThis.location.origin : base;
  return `${here.replace(/^http/, 'ws')}/v1/ws`;
}
