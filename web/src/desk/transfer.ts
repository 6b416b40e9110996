/** Hands a conversation over, to somebody who is there or to a group, with a remark that the customer does not see. */

import type { Client, TransferTarget } from '../client/index.js';
import { h } from '../page/dom.js';
import { speaker } from '../page/language.js';
import { trouble } from '../page/notice.js';
import { nameOfUser } from './names.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
/** Longest remark in characters: the server takes 2,000 bytes, and a character has at most four. */
const REMARK_MAX = 500;

interface Agent {
  agent: string;
  on_service: boolean;
  online: boolean;
  capacity: number;
  conversations: string[];
  groups: string[];
}

/** Asks to whom, and with which remark; answers whether it was handed over. */
export async function transfer(client: Client, conversation: string): Promise<boolean> {
  const { data } = await client.api.in<{ data: Agent[] }>('GET', 'agents');
  const free = (agent: Agent) => agent.on_service && agent.online && agent.conversations.length < agent.capacity;
  const agents = data.filter((agent) => agent.agent !== client.state.me && free(agent));
  const groups = [...new Set(data.flatMap((agent) => agent.groups))].sort();
  const select = h('select', { name: 'to', required: true });
  for (const { agent } of agents) select.append(h('option', { value: `agent ${agent}` }, say('agent', { name: nameOfUser(agent) })));
  for (const group of groups) select.append(h('option', { value: `group ${group}` }, say('group', { name: group })));
  const remark = h('textarea', { name: 'remark', maxlength: REMARK_MAX, rows: 3, placeholder: say('remark') });
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
  const dialog = h('dialog', { 'aria-label': say('transfer') }, h('h2', {}, say('transfer')), form);
  const answer = new Promise<boolean>((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes')));
  document.body.append(dialog);
  dialog.showModal();
  const wanted = await answer.finally(() => dialog.remove());
  const [kind, id] = select.value.split(' ');
  if (!wanted || kind === undefined || id === undefined) return false;
  const target: TransferTarget = kind === 'agent' ? { agent: id } : { group: id };
  const text = remark.value.trim();
  await client.api.transfer(conversation, target, text === '' ? undefined : text).catch(trouble);
  return true;
}
