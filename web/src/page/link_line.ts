/** The line that says when the connection is lost, and when it is back. */

import type { Client } from '../client/index.js';
import { h } from './dom.js';
import { speaker } from './language.js';
import { COMMON } from './texts.js';

const say = speaker(COMMON);
/** How often somebody who looks at the page wants to know that the link is alive. */
const DOUBT_EVERY_MS = 10_000;
/** How long the good news stays. */
const AGAIN_MS = 4_000;

export class LinkLine {
  private wasOnline = false;
  private shown = '';

  constructor(
    private readonly client: Client,
    private readonly line: HTMLElement,
  ) {
    line.setAttribute('role', 'status');
    const looking = () => document.visibilityState === 'visible';
    document.addEventListener('visibilitychange', () => looking() && client.wake());
    setInterval(() => looking() && client.doubt(), DOUBT_EVERY_MS);
  }

  update(): void {
    const { status } = this.client;
    switch (status.state) {
      case 'online':
        if (this.shown === 'lost') this.good();
        else if (this.shown !== 'again') this.put('', status.via === 'poll' ? say('via_poll') : '');
        this.wasOnline = true;
        break;
      case 'connecting':
      case 'waiting':
        if (this.wasOnline) this.lost();
        else this.put('', say('connecting'));
        break;
      case 'signed_out':
        this.put('lost', say('signed_out'));
        break;
      case 'stopped':
        this.put('', '');
    }
  }

  private good(): void {
    this.put('again', say('again'));
    setTimeout(() => {
      if (this.shown === 'again') this.put('', '');
      this.update();
    }, AGAIN_MS);
  }

  private lost(): void {
    if (this.shown === 'lost') return;
    this.put('lost', `${say('lost')} `);
    this.line.append(h('button', { type: 'button', class: 'quiet', click: () => this.client.wake() }, say('retry_now')));
  }

  private put(state: string, text: string): void {
    this.shown = state;
    if (this.line.dataset['state'] === state && this.line.textContent === text) return;
    this.line.dataset['state'] = state;
    this.line.textContent = text;
    this.line.hidden = text === '';
  }
}
