/** The agent's desk: signs in, then shows it. A sign-in belongs to its window, so that one person can try being several agents. */

import {
  ApiError,
  BrowserStore,
  Client,
  Http,
  type KeyValueStore,
  Session,
  SignedOutError,
  openBrowserStore,
  realEnvironment,
} from '../client/index.js';
import { byId } from '../page/dom.js';
import { prepare, speaker } from '../page/language.js';
import { notice, trouble } from '../page/notice.js';
import { Desk } from './desk.js';
import { TEXTS } from './texts.js';

const say = speaker(TEXTS);
prepare(say);
document.title = say('title');

const environment = realEnvironment();
const context = { environment, http: new Http(environment, () => ''), store: new BrowserStore(sessionStorage, 'kefu.desk.') };
const form = byId('sign-in', HTMLFormElement);
const asked = new URLSearchParams(location.search).get('tenant') ?? 'demo';

async function open(session: Session): Promise<void> {
  form.hidden = true;
  // What this agent has written waits for this agent, whoever signs in next.
  const store = await openBrowserStore(`kefu.desk.${session.tenant}.${session.user}`, context.store);
  const client = new Client({ session, store, begin: 'list', environment });
  const desk = new Desk(client, () => void leave(client, store));
  byId('desk', HTMLElement).hidden = false;
  byId('tools', HTMLElement).append(byId('language', HTMLElement));
  try {
    await desk.begin();
  } catch (error) {
    // The sign-in that this window had is over; the form comes instead.
    if (!(error instanceof SignedOutError)) throw error;
    location.reload();
  }
}

async function leave(client: Client, store: KeyValueStore): Promise<void> {
  await client.stop();
  for (const key of await store.keys('')) await store.delete(key);
  // Offline the sign-in ends here all the same.
  await client.session.signOut().catch(() => undefined);
  sessionStorage.clear();
  location.reload();
}

function field(name: string): HTMLInputElement {
  const input = form.elements.namedItem(name);
  if (!(input instanceof HTMLInputElement)) throw new Error(`no field ${name}`);
  return input;
}

async function signIn(): Promise<void> {
  const [tenant, login, password] = ['tenant', 'login', 'password'].map((name) => field(name).value.trim()) as [string, string, string];
  try {
    await open(await Session.staff(context, tenant, login, password, navigator.userAgent));
  } catch (error) {
    if (error instanceof ApiError && error.code === 'wrong_credentials') notice(say('wrong_credentials'), 'bad');
    else trouble(error);
  }
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
