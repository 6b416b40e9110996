/** Short words about what was done, or did not work. */

import { ApiError, type Client, StoreError } from '../client/index.js';
import { byId, say as put } from './dom.js';
import { speaker } from './language.js';
import { reason } from './reasons.js';
import { COMMON } from './texts.js';

const say = speaker(COMMON);
const SHOWN_MS = 6_000;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Shows a text for a while: good news, or something that needs attention. */
export function notice(text: string, kind: 'good' | 'bad' = 'good'): void {
  const line = byId('notice', HTMLElement);
  line.dataset['kind'] = kind;
  delete line.dataset['code'];
  put(line, text);
  line.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => (line.hidden = true), SHOWN_MS);
}

/** Shows why something was not done. */
export function trouble(error: unknown): void {
  notice(reason(error), 'bad');
  // For whoever is asked for help: what a program calls it stands in the page, and nobody sees or hears it.
  const code = error instanceof ApiError ? error.code : error instanceof Error ? error.message : String(error);
  byId('notice', HTMLElement).dataset['code'] = code;
}

/** Says once that the browser did not keep what was written: unless it is sent before, it goes with the page. */
export function tellUnkept(client: Client): void {
  const stop = client.subscribe(() => {
    if (!client.troubles.some((trouble) => trouble instanceof StoreError)) return;
    stop();
    notice(say('not_kept'), 'bad');
  });
}
