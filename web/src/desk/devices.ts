/** The agent's sign-ins on all devices, each of which can be ended from here. */

import type { Client } from '../client/index.js';
import { h } from '../page/dom.js';
import { date, speaker, timeOfDay } from '../page/language.js';
import { trouble } from './reasons.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);

interface SignIn {
  id: string;
  started_at: number;
  device: string | null;
  address: string | null;
}

/** Shows the list until it is closed. */
export async function showDevices(client: Client): Promise<void> {
  const path = `users/${client.session.user}/sessions`;
  const list = h('ul', { class: 'sessions' });
  const dialog = h('dialog', { 'aria-label': say('devices') }, h('h2', {}, say('devices')), list);
  const end = async (signIn: SignIn) => {
    await client.api.in('DELETE', `${path}/${signIn.id}`);
    await show();
  };
  const show = async () => {
    const { data } = await client.api.in<{ data: SignIn[] }>('GET', path);
    list.replaceChildren(...data.map((signIn) => row(signIn, signIn.id === client.session.id, () => void end(signIn).catch(trouble))));
  };
  await show();
  dialog.append(h('form', { method: 'dialog', class: 'row' }, h('button', {}, say('close'))));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function row(signIn: SignIn, own: boolean, end: () => void): HTMLElement {
  const since = say('since', { day: date(signIn.started_at), time: timeOfDay(signIn.started_at) });
  const details = [signIn.address, since].filter((word) => word !== null).join(' · ');
  return h(
    'li',
    {},
    h('div', { class: 'grow' }, h('div', {}, nameOf(signIn.device)), h('div', { class: 'dim' }, details)),
    own ? h('b', { class: 'tag' }, say('this_device')) : h('button', { type: 'button', click: end }, say('sign_out')),
  );
}

/** A browser tells more of itself than anybody wants to read. */
function nameOf(device: string | null): string {
  if (device === null || device === '') return say('unknown_device');
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\/[\d.]+/.exec(device)?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(device)?.[1];
  if (browser === undefined) return device.slice(0, 60);
  const known: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' };
  return [known[browser] ?? browser, system].filter((word) => word !== undefined).join(' · ');
}
