/** Where one writes, in Chromium and over a client that is made up: for whom a message is, what was begun, and which key sends. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import type { Client, Draft, Message } from '../src/client/index.js';
import { Browsing } from './browsing.js';
import { settle } from './fake_clock.js';
import { BEN, talking } from './world.js';

const EN = { locale: 'en-US', colorScheme: 'light' } as const;
const FORM = `<form id="composer">
  <input type="radio" name="visibility" value="all" checked><input type="radio" name="visibility" value="staff">
</form>`;

let browsing: Browsing;

before(async () => (browsing = await Browsing.start()));
after(() => browsing.end());

/** A page with nothing but a composer, which `inBrowser` puts there. */
async function blank(): Promise<Page> {
  const page = await browsing.window(EN);
  await page.goto(`${browsing.server.url}/`);
  await page.evaluate((form) => (document.body.innerHTML = form), FORM);
  return page;
}

/** Runs inside Chromium: a composer, and everything that happens to it and because of it. */
async function composing(isTouched: boolean): Promise<void> {
  const library = '/page/composer.js';
  if (isTouched) window.matchMedia = () => ({ matches: true }) as MediaQueryList;
  const { Composer } = (await import(library)) as typeof import('../src/page/composer.js');
  const told: unknown[] = [];
  const listeners: (() => void)[] = [];
  const chats: Record<string, { messages: Partial<Message>[] }> = { one: { messages: [] }, other: { messages: [] } };
  const client = {
    state: { chats },
    limits: { content_bytes_max: 64 },
    subscribe: (listener: () => void) => listeners.push(listener),
    send: async (chat: string, { content, quote, visibility }: Draft) => void told.push([chat, content, quote ?? null, visibility]),
    typed: (chat: string, isSomething = true) => told.push([isSomething ? 'writes' : 'stopped', chat]),
  };
  let chosen: string | null = null;
  let kept = '{}';
  const form = document.querySelector('form') as HTMLFormElement;
  const make = () => {
    const composer: InstanceType<typeof Composer> = new Composer({
      client: client as unknown as Client,
      form,
      chat: () => chosen,
      dress: (draft) => ({ ...draft, visibility: composer.visibility }),
      trouble: (text) => told.push(text),
      kept: { load: () => JSON.parse(kept), save: (all) => (kept = JSON.stringify(all)) },
    });
    return composer;
  };
  let composer = make();
  const turn = (chat: string | null) => composer.turnTo((chosen = chat));
  const box = () => form.querySelector('textarea') as HTMLTextAreaElement;
  const write = (text: string) => {
    box().value = text;
    box().dispatchEvent(new Event('input'));
  };
  const enter = (how: KeyboardEventInit) => box().dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', cancelable: true, ...how }));
  const radio = (value: string) => form.querySelector(`input[value=${value}]`) as HTMLInputElement;
  const again = () => {
    for (const child of [...form.querySelectorAll('ul, .quoting, .write')]) child.remove();
    for (const value of ['all', 'staff']) Object.assign(radio(value), { checked: value === 'all', disabled: false });
    composer = make();
  };
  const message = (id: string, visibility: 'all' | 'staff') => ({ id, content: id, visibility }) as Message;
  const changed = () => listeners.forEach((listener) => listener());
  const quote = () => (form.querySelector('.quoting') as HTMLElement).hidden ? null : form.querySelector('.quoting span')?.textContent;
  const take = () => told.splice(0);
  const parts = { again, box, changed, chats, composer: () => composer, enter, form, message, quote, radio, take, turn, write };
  Object.assign(window, parts);
}

/** What `composing` has put there. */
interface Parts {
  again(): void;
  box(): HTMLTextAreaElement;
  changed(): void;
  chats: Record<string, { messages: Partial<Message>[] }>;
  composer(): { quote(message: Message | null): void; open(isOpen: boolean): void };
  enter(how: KeyboardEventInit & { keyCode?: number }): boolean;
  form: HTMLFormElement;
  message(id: string, visibility: 'all' | 'staff'): Message;
  quote(): string | null;
  radio(value: string): HTMLInputElement;
  take(): unknown[];
  turn(chat: string | null): void;
  write(text: string): void;
}

async function composed<Seen>(see: () => Seen, isTouched = false): Promise<Seen> {
  const page = await blank();
  await page.evaluate(composing, isTouched);
  return (await page.evaluate(see)) as Seen;
}

test('whatever quotes a note is a note, also when the quote is dropped', async () => {
  const seen = await composed(() => {
    const { composer, enter, form, message, radio, take, turn, write } = window as unknown as Parts;
    turn('one');
    const modes: unknown[] = [];
    const look = () => modes.push([radio('staff').checked, radio('all').disabled, form.classList.contains('staff')]);
    composer().quote(message('whisper', 'staff'));
    look();
    radio('all').click();
    write('between us');
    take();
    enter({});
    composer().quote(null);
    look();
    radio('all').click();
    composer().quote(message('aloud', 'all'));
    look();
    write('for all');
    enter({});
    return { modes, told: take().filter((what) => Array.isArray(what) && what.length === 4) };
  });
  assert.deepEqual(seen.modes, [[true, true, true], [true, false, true], [false, false, false]]);
  assert.deepEqual(seen.told, [['one', 'between us', 'whisper', 'staff'], ['one', 'for all', 'aloud', 'all']]);
});

test('text, quote and mode belong to their chat, and outlive the page', async () => {
  const seen = await composed(() => {
    const { again, box, composer, message, quote, radio, turn, write } = window as unknown as Parts;
    const looks: unknown[] = [];
    const look = () => looks.push([box().value, quote(), radio('staff').checked]);
    turn('one');
    radio('staff').click();
    write('she is angry');
    composer().quote(message('aloud', 'all'));
    turn('other');
    look();
    write('Good morning');
    turn('one');
    look();
    turn(null);
    again();
    turn('other');
    look();
    turn('one');
    look();
    return looks;
  });
  const [nothing, note, greeting] = [['', null, false], ['she is angry', 'Quoting: aloud', true], ['Good morning', null, false]];
  assert.deepEqual(seen, [nothing, note, greeting, note]);
});

test('an Enter that an input method takes sends nothing, however a browser says so', async () => {
  const seen = await composed(() => {
    const { box, enter, take, turn, write } = window as unknown as Parts;
    turn('one');
    write('ni hao');
    take();
    // Safari ends the composition before it tells of the key.
    const passed = [enter({ keyCode: 229 }), enter({ isComposing: true }), enter({ shiftKey: true })];
    return { passed, sent: take(), last: enter({ keyCode: 13 }), told: take(), hint: box().enterKeyHint };
  });
  assert.deepEqual(seen, { passed: [true, true, true], sent: [], last: false, told: [['one', 'ni hao', null, 'all']], hint: 'send' });
});

test('on glass Enter begins a new line, and the button sends', async () => {
  const seen = await composed(() => {
    const { box, enter, form, take, turn, write } = window as unknown as Parts;
    turn('one');
    write('two lines');
    take();
    const wentOn = enter({ keyCode: 13 });
    const before = take();
    (form.querySelector('button[type=submit]') as HTMLElement).click();
    return { wentOn, before, told: take(), hint: [box().enterKeyHint, box().placeholder] };
  }, true);
  assert.deepEqual(seen, { wentOn: true, before: [], told: [['one', 'two lines', null, 'all']], hint: ['enter', 'Write a message'] });
});

test('who empties the box writes no more', async () => {
  const told = await composed(() => {
    const { take, turn, write } = window as unknown as Parts;
    turn('one');
    write('well');
    write('');
    return take();
  });
  assert.deepEqual(told, [['writes', 'one'], ['stopped', 'one']]);
});

test('the others are told at once that nothing is being written any more', async () => {
  const { world, chat } = await talking();
  const { client } = await world.online(BEN);
  client.typed(chat);
  client.typed(chat, false);
  client.typed(chat, false);
  await settle();
  assert.deepEqual(world.said(BEN, 'typing'), [{ t: 'typing', chat, on: true }, { t: 'typing', chat, on: false }]);
  await client.stop();
});

test('what is recalled meanwhile is not quoted any more', async () => {
  const seen = await composed(() => {
    const { changed, chats, composer, enter, message, quote, take, turn, write } = window as unknown as Parts;
    const said = message('oops', 'all');
    chats['one']?.messages.push(said);
    turn('one');
    composer().quote(said);
    changed();
    const before = quote();
    said.content = null;
    changed();
    write('never mind');
    take();
    enter({});
    return [before, quote(), take()];
  });
  assert.deepEqual(seen, ['Quoting: oops', null, [['one', 'never mind', null, 'all']]]);
});

test('a closed composer takes nothing, and keeps what was begun', async () => {
  const seen = await composed(() => {
    const { box, composer, form, take, turn, write } = window as unknown as Parts;
    turn('one');
    write('half a sen');
    composer().open(false);
    take();
    form.requestSubmit();
    const closed = [box().disabled, form.querySelectorAll('button:enabled').length, box().value, take()];
    composer().open(true);
    return [closed, box().disabled];
  });
  assert.deepEqual(seen, [[true, 0, 'half a sen', []], false]);
});
