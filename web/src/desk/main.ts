/** The agent's desk: signs in, then shows it. A sign-in belongs to its window, so that one person can try being several agents. */

import {
  ApiError,
  BrowserStore,
  Client,
  Http,
  NetworkError,
  Session,
  SignedOutError,
  openBrowserStore,
  realEnvironment,
} from '../client/index.js';
import { byId } from '../page/dom.js';
import { prepare, speaker } from '../page/language.js';
import { notice } from '../page/notice.js';
import { ConversationList } from './conversation_list.js';
import { Desk } from './desk.js';
import { trouble } from './reasons.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
prepare(say);
document.title = say('title');

const environment = realEnvironment();
const context = { environment, http: new Http(environment, () => ''), store: new BrowserStore(sessionStorage, 'kefu.desk.') };
const form = byId('sign-in', HTMLFormElement);
let isSigningIn = false;
const asked = new URLSearchParams(location.search).get('tenant') ?? 'demo';

async function open(session: Session): Promise<void> {
  form.hidden = true;
  // What this agent has written waits for this agent, whoever signs in next.
  const own = `kefu.desk.${session.tenant}.${session.user}`;
  const store = await openBrowserStore(own, new BrowserStore(sessionStorage, `${own}.`));
  const client = new Client({ session, store, begin: 'list', environment });
  const desk = new Desk(client, () => void leave(client).catch(trouble));
  byId('desk', HTMLElement).hidden = false;
  byId('tools', HTMLElement).append(byId('language', HTMLElement));
  await desk.begin();
  // The sign-in that this window had is over; the form comes instead.
  if (client.status.state === 'signed_out') location.reload();
}

/** Ends the sign-in of this window. What was not sent yet stays for when this agent is back. */
async function leave(client: Client): Promise<void> {
  await client.stop();
  try {
    await client.session.signOut();
  } catch (error) {
    // Without an answer, or signed out elsewhere, the sign-in ends here all the same.
    if (!(error instanceof NetworkError || error instanceof ApiError || error instanceof SignedOutError)) throw error;
  }
  ConversationList.forget();
  location.reload();
}

function field(name: string): HTMLInputElement {
  const input = form.elements.namedItem(name);
  if (!(input instanceof HTMLInputElement)) throw new Error(`no field ${name}`);
  return input;
}

async function signIn(): Promise<void> {
  // Pressed twice, it would show two desks in one page.
  if (isSigningIn) return;
  setSigningIn(true);
  const [tenant, login, password] = ['tenant', 'login', 'password'].map((name) => field(name).value.trim()) as [string, string, string];
  try {
    await open(await Session.staff(context, tenant, login, password, navigator.userAgent));
  } catch (error) {
    if (error instanceof ApiError && error.code === 'wrong_credentials') notice(say('wrong_credentials'), 'bad');
    else trouble(error);
  } finally {
    setSigningIn(false);
  }
}

function setSigningIn(isSo: boolean): void {
  isSigningIn = isSo;
  for (const button of form.querySelectorAll('button')) button.disabled = isSo;
}

async function main(): Promise<void> {
  const session = await Session.restore(context, asked);
  if (session) return open(session);
  field('tenant').value = asked;
  byId('demo-hint', HTMLElement).hidden = asked !== 'demo';
  form.hidden = false;
  field('login').focus();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void signIn();
  });
}

main().catch(trouble);
