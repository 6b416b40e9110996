/** What the desk shows when its sign-in was ended elsewhere: nothing can be written, what was not sent stays, and how to sign in. */

import type { Client } from '../client/index.js';
import { byId, say as put } from '../page/dom.js';
import { speaker } from '../page/language.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);

export class SignedOut {
  constructor(private readonly client: Client) {
    // The sign-in is forgotten already, so the page begins with the form.
    byId('sign-in-again', HTMLButtonElement).addEventListener('click', () => location.reload());
  }

  isSo(): boolean {
    return this.client.status.state === 'signed_out';
  }

  update(): void {
    byId('signed-out', HTMLElement).hidden = !this.isSo();
    if (!this.isSo()) return;
    const count = this.client.outgoing().filter(({ state }) => state === 'waiting').length;
    const words = [say('signed_out_here'), count > 0 ? say('unsent', { count }) : '', say('begun_stays')];
    put(byId('signed-out-words', HTMLElement), words.filter((word) => word !== '').join(' '));
  }
}
