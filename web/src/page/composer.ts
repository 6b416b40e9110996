/**
 * Where one writes: Enter sends, Shift+Enter starts a new line, what is quoted shows above; files are added beside. What was begun
 * belongs to its chat: the text, what it quotes, and whether only staff shall see it. It must not know which page it is on.
 */

import { ApiError, type Client, type Draft, type Message, type Visibility } from '../client/index.js';
import { h } from './dom.js';
import { speaker } from './language.js';
import { COMMON } from './texts.js';
import { Uploads } from './uploads.js';

const say = speaker({
  ...COMMON,
  write_here_touch: ['输入消息', 'Write a message'],
  quoting_note: ['引用内部备注（只能回复为内部备注）：{text}', 'Quoting a note (the answer is a note, too): {text}'],
});
/** What browsers that do not tell of composing say of a key that an input method takes: Safari, of the Enter that ends it. */
const TAKEN_BY_INPUT_METHOD = 229;

export type Quoted = Pick<Message, 'id' | 'content' | 'visibility'>;

/** What was begun in a chat and not sent. */
export interface Begun {
  text: string;
  quoted: Quoted | null;
  /** The suggestion from which the text was taken. */
  suggestion: string | null;
  visibility: Visibility;
}

const NOTHING: Begun = { text: '', quoted: null, suggestion: null, visibility: 'all' };

/** Where what was begun outlives the page. */
export interface BegunStore {
  load(): Record<string, Begun>;
  save(begun: Record<string, Begun>): void;
}

export interface ComposerPort {
  client: Client;
  /** With radio buttons named `visibility` where there are notes. */
  form: HTMLFormElement;
  /** The chat that is written to; none while there is none. */
  chat(): string | null;
  /** What the page adds to a draft. */
  dress?(draft: Draft): Draft;
  trouble(text: string, kind: 'bad'): void;
  /** Why something was not taken, in the words of the page. */
  reason?(error: unknown): string;
  /** Without one, what was begun goes with the page. */
  kept?: BegunStore;
}

export class Composer {
  private readonly box: HTMLTextAreaElement;
  /** To add a file, and to send. */
  private readonly buttons: HTMLButtonElement[];
  private readonly quoteLine: HTMLElement;
  private readonly radios: HTMLInputElement[];
  private quoted: Quoted | null = null;
  /** What was begun, by chat. */
  private readonly begun: Map<string, Begun>;
  private chat: string | null = null;
  private suggestion: string | null = null;
  private isOpen = true;

  constructor(private readonly port: ComposerPort) {
    this.begun = new Map(Object.entries(port.kept?.load() ?? {}));
    const hint = isTouched() ? ({ key: 'enter', text: 'write_here_touch' } as const) : ({ key: 'send', text: 'write_here' } as const);
    const placeholder = say(hint.text);
    this.box = h('textarea', { rows: 2, 'aria-label': say('message'), placeholder, name: 'text', enterkeyhint: hint.key });
    this.quoteLine = h('div', { class: 'quoting', hidden: true });
    const list = h('ul', { class: 'uploads dim', role: 'status' });
    const { client, form, reason, trouble } = port;
    this.radios = [...form.querySelectorAll<HTMLInputElement>('input[name=visibility]')];
    // Where nobody may write, no file is taken either.
    const chat = () => (form.hidden || !this.isOpen ? null : port.chat());
    const dress = (draft: Draft) => this.dress(draft);
    const uploads = new Uploads({ client, list, place: form.parentElement ?? form, chat, dress, trouble, ...(reason ? { reason } : {}) });
    uploads.listenTo(this.box);
    const row = h('div', { class: 'write' }, uploads.button, uploads.picker, this.box);
    row.append(h('button', { type: 'submit', class: 'strong' }, say('send')));
    this.buttons = [...row.querySelectorAll('button')];
    port.form.append(list, this.quoteLine, row);
    this.box.addEventListener('keydown', (event) => this.key(event));
    this.box.addEventListener('input', () => this.input());
    for (const radio of this.radios) radio.addEventListener('change', () => this.changed());
    port.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.send();
    });
    client.subscribe(() => this.dropGoneQuote());
  }

  /** Who would see what is sent now: whatever answers a note is one. */
  get visibility(): Visibility {
    if (this.quoted?.visibility === 'staff') return 'staff';
    return this.radios.some(({ checked, value }) => checked && value === 'staff') ? 'staff' : 'all';
  }

  /** Writes to another chat; what was begun stays with its own. */
  turnTo(chat: string | null): void {
    if (chat === this.chat) return;
    this.keep();
    // What was written before there was a chat was written for the one that comes.
    const first = this.chat === null && this.box.value !== '' ? { ...NOTHING, text: this.box.value } : NOTHING;
    this.chat = chat;
    this.show(this.begun.get(chat ?? '') ?? first);
    this.dropGoneQuote();
  }

  /** Whether anything can be written. What was begun stays either way. */
  open(isOpen: boolean): void {
    this.isOpen = isOpen;
    for (const part of [this.box, ...this.buttons]) part.disabled = !isOpen;
  }

  /** Puts a suggested text in place of what was begun; it may be changed before it is sent. */
  take(text: string, suggestion: string): void {
    this.box.value = text;
    this.suggestion = suggestion;
    this.fit();
    this.changed();
    this.box.focus();
  }

  quote(message: Message | null): void {
    this.quoted = message && { id: message.id, content: message.content, visibility: message.visibility };
    this.showQuote();
    this.changed();
    if (message) this.box.focus();
  }

  focus(): void {
    this.box.focus();
  }

  private key(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey) return;
    // While an input method composes, Enter chooses a word.
    if (event.isComposing || event.keyCode === TAKEN_BY_INPUT_METHOD) return;
    // A keyboard of glass has no Shift+Enter.
    if (isTouched()) return;
    event.preventDefault();
    void this.send();
  }

  private input(): void {
    const { client } = this.port;
    const chat = this.port.chat();
    // Whoever begins anew says their own.
    if (this.box.value === '') this.suggestion = null;
    if (chat !== null && this.box.value.trim() !== '') client.typed(chat);
    else if (chat !== null) client.typed(chat, false);
    this.fit();
    this.changed();
  }

  /** As high as its text, up to a limit of the style. */
  private fit(): void {
    this.box.style.height = '';
    if (this.box.value !== '') this.box.style.height = `${this.box.scrollHeight}px`;
  }

  private show({ text, quoted, suggestion, visibility }: Begun): void {
    this.box.value = text;
    this.suggestion = suggestion;
    this.quoted = quoted;
    for (const radio of this.radios) radio.checked = radio.value === visibility;
    this.showQuote();
    this.changed();
    this.fit();
  }

  private showQuote(): void {
    const { quoted } = this;
    const isNote = quoted?.visibility === 'staff';
    for (const radio of this.radios) {
      // The mode stays when the quote goes: what was written as a note does not become an answer by itself.
      if (isNote) radio.checked = radio.value === 'staff';
      radio.disabled = isNote && radio.value !== 'staff';
    }
    this.quoteLine.hidden = quoted === null;
    this.quoteLine.replaceChildren();
    if (!quoted) return;
    const stop = h('button', { type: 'button', class: 'quiet', 'aria-label': say('stop_quoting'), click: () => this.quote(null) }, '✕');
    this.quoteLine.append(h('span', {}, say(isNote ? 'quoting_note' : 'quoting', { text: quoted.content ?? '' })), stop);
  }

  /** What was taken back meanwhile cannot be quoted. */
  private dropGoneQuote(): void {
    const { quoted } = this;
    if (!quoted || this.chat === null) return;
    const message = this.port.client.state.chats[this.chat]?.messages.find(({ id }) => id === quoted.id);
    if (message && message.content === null) this.quote(null);
  }

  private changed(): void {
    this.port.form.classList.toggle('staff', this.visibility === 'staff');
    this.keep();
  }

  private keep(): void {
    if (this.chat === null) return;
    const { quoted, suggestion, visibility } = this;
    const text = this.box.value;
    if (text === '' && quoted === null && visibility === 'all') this.begun.delete(this.chat);
    else this.begun.set(this.chat, { text, quoted, suggestion, visibility });
    this.port.kept?.save(Object.fromEntries(this.begun));
  }

  private dress(draft: Draft): Draft {
    return this.port.dress?.(draft) ?? draft;
  }

  private async send(): Promise<void> {
    const { client } = this.port;
    const chat = this.port.chat();
    const content = this.box.value.trim();
    if (chat === null || content === '' || !this.isOpen) return;
    const { quoted, suggestion, visibility } = this;
    const draft = this.dress({ content, ...(quoted ? { quote: quoted.id } : {}), ...(suggestion === null ? {} : { suggestion }) });
    this.show({ ...NOTHING, visibility });
    try {
      await client.send(chat, draft);
    } catch (error) {
      // Not taken: it is given back to whoever wrote it.
      const before = { text: content, quoted, suggestion, visibility };
      if (this.port.chat() !== chat) this.begun.set(chat, this.begun.get(chat) ?? before);
      else if (this.box.value === '') this.show(before);
      this.port.trouble(this.reason(error), 'bad');
    }
  }

  private reason(error: unknown): string {
    const tooLong = error instanceof ApiError && error.code === 'message_too_long';
    if (tooLong) return say('too_long', { kb: this.port.client.limits.content_bytes_max / 1_024 });
    return this.port.reason?.(error) ?? String(error);
  }
}

/** Whether fingers are all that there is to point with. */
function isTouched(): boolean {
  return matchMedia('(pointer: coarse)').matches;
}
