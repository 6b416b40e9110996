/** Asks to whom a conversation is handed over: to somebody who is there or to a group, with a remark that the customer does not see. */

import type { Client, TransferTarget } from '../client/index.js';
import { h } from '../page/dom.js';
import { speaker } from '../page/language.js';
import type { Colleagues } from './names.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
/** Longest remark in characters: the server takes 2,000 bytes, and a character has at most four. */
const REMARK_MAX = 500;

interface Agent {
  agent: string;
  display_name?: string | null;
  on_service: boolean;
  online: boolean;
  capacity: number;
  conversations: string[];
  groups: string[];
}

export interface HandOver {
  target: TransferTarget;
  /** What whoever gets it is called. */
  name: string;
  remark?: string;
}

/** Asks to whom, and with which remark; null when it was thought better of. */
export async function askWhom(client: Client, colleagues: Colleagues): Promise<HandOver | null> {
  const { data } = await client.api.in<{ data: Agent[] }>('GET', 'agents');
  for (const { agent, display_name } of data) if (display_name) colleagues.note(agent, display_name);
  const choices = choicesOf(data, client.state.me, colleagues);
  const select = h('select', { name: 'to', required: true }, ...choices.map(({ name }, nth) => h('option', { value: nth }, name)));
  const remark = h('textarea', { name: 'remark', maxlength: REMARK_MAX, rows: 3 });
  const form = h(
    'form',
    { method: 'dialog', class: 'column' },
    h('label', {}, say('transfer_to'), select),
    h('label', {}, say('remark'), remark),
    h(
      'div',
      { class: 'row' },
      h('button', { value: 'no', formnovalidate: true }, say('no')),
      h('button', { value: 'yes', class: 'strong' }, say('transfer')),
    ),
  );
  const dialog = h('dialog', { class: 'transfer', 'aria-label': say('transfer') }, h('h2', {}, say('transfer')), form);
  const answer = new Promise<boolean>((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes')));
  document.body.append(dialog);
  dialog.showModal();
  const wanted = await answer.finally(() => dialog.remove());
  const choice = choices[Number(select.value)];
  if (!wanted || choice === undefined) return null;
  const text = remark.value.trim();
  return { ...choice, ...(text === '' ? {} : { remark: text }) };
}

function choicesOf(agents: readonly Agent[], me: string, colleagues: Colleagues): HandOver[] {
  const free = ({ agent, on_service, online, capacity, conversations }: Agent) =>
    agent !== me && on_service && online && conversations.length < capacity;
  const groups = [...new Set(agents.flatMap((agent) => agent.groups))].sort();
  return [
    ...agents.filter(free).map(({ agent }) => ({ target: { agent }, name: say('agent', { name: colleagues.nameOf(agent) }) })),
    ...groups.map((group) => ({ target: { group }, name: say('group', { name: group }) })),
  ];
}
