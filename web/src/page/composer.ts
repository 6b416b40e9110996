/** Where one writes: Enter sends, Shift+Enter starts a new line, what is quoted shows above; files are added beside. */

import { ApiError, type Client, type Draft, type Message } from '../client/index.js';
import { h } from './dom.js';
import { speaker } from './language.js';
import { COMMON } from './texts.js';
import { Uploads } from './uploads.js';

const say = speaker(COMMON);

export interface ComposerPort {
  client: Client;
  form: HTMLFormElement;
  /** The chat that is written to; none while there is none. */
  chat(): string | null;
  /** What the page adds to a draft. */
  dress?(draft: Draft): Draft;
  trouble(text: string, kind: 'bad'): void;
}

export class Composer {
  private readonly box: HTMLTextAreaElement;
  private readonly quoteLine: HTMLElement;
  private quoted: Message | null = null;
  /** What was begun in other chats. */
  private readonly begun = new Map<string, string>();
  private chat: string | null = null;
  /** The suggestion from which the text was taken. */
  private suggestion: string | null = null;

  constructor(private readonly port: ComposerPort) {
    this.box = h('textarea', { rows: 2, 'aria-label': say('message'), placeholder: say('write_here'), name: 'text' });
    this.quoteLine = h('div', { class: 'quoting', hidden: true });
    const list = h('ul', { class: 'uploads dim', role: 'status' });
    const { client, form, trouble } = port;
    // Where nobody may write, no file is taken either.
    const chat = () => (form.hidden ? null : port.chat());
    const dress = (draft: Draft) => this.dress(draft);
    const uploads = new Uploads({ client, list, place: form.parentElement ?? form, chat, dress, trouble });
    uploads.listenTo(this.box);
    const row = h('div', { class: 'write' }, uploads.button, uploads.picker, this.box);
    row.append(h('button', { type: 'submit', class: 'strong' }, say('send')));
    port.form.append(list, this.quoteLine, row);
    this.box.addEventListener('keydown', (event) => this.key(event));
    this.box.addEventListener('input', () => this.input());
    port.form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.send();
    });
  }

  /** Writes to another chat; what was begun stays with its own. */
  turnTo(chat: string | null): void {
    if (chat === this.chat) return;
    if (this.chat !== null) this.begun.set(this.chat, this.box.value);
    this.chat = chat;
    this.box.value = this.begun.get(chat ?? '') ?? '';
    this.suggestion = null;
    this.quote(null);
    this.fit();
  }

  /** Puts a suggested text in place of what was begun; it may be changed before it is sent. */
  take(text: string, suggestion: string): void {
    this.box.value = text;
    this.suggestion = suggestion;
    this.fit();
    this.box.focus();
  }

  quote(message: Message | null): void {
    this.quoted = message;
    this.quoteLine.hidden = message === null;
    this.quoteLine.replaceChildren();
    if (!message) return;
    const stop = h('button', { type: 'button', class: 'quiet', 'aria-label': say('stop_quoting'), click: () => this.quote(null) }, '✕');
    this.quoteLine.append(h('span', {}, say('quoting', { text: message.content ?? '' })), stop);
    this.box.focus();
  }

  focus(): void {
    this.box.focus();
  }

  private key(event: KeyboardEvent): void {
    // While an input method composes, Enter chooses a word.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void this.send();
  }

  private input(): void {
    const chat = this.port.chat();
    // Whoever begins anew says their own.
    if (this.box.value === '') this.suggestion = null;
    if (chat !== null && this.box.value.trim() !== '') this.port.client.typed(chat);
    this.fit();
  }

  /** As high as its text, up to a limit of the style. */
  private fit(): void {
    this.box.style.height = '';
    if (this.box.value !== '') this.box.style.height = `${this.box.scrollHeight}px`;
  }

  private dress(draft: Draft): Draft {
    return this.port.dress?.(draft) ?? draft;
  }

  private async send(): Promise<void> {
    const { client, trouble } = this.port;
    const chat = this.port.chat();
    const content = this.box.value.trim();
    if (chat === null || content === '') return;
    const { quoted, suggestion } = this;
    const draft: Draft = { content, ...(quoted ? { quote: quoted.id } : {}), ...(suggestion === null ? {} : { suggestion }) };
    this.box.value = '';
    this.suggestion = null;
    this.quote(null);
    this.fit();
    try {
      await client.send(chat, this.dress(draft));
    } catch (error) {
      // Not taken: it is given back to whoever wrote it.
      if (this.box.value === '') this.box.value = content;
      this.suggestion = suggestion;
      this.quote(quoted);
      this.fit();
      const tooLong = error instanceof ApiError && error.code === 'message_too_long';
      trouble(tooLong ? say('too_long', { kb: client.limits.content_bytes_max / 1_024 }) : String(error), 'bad');
    }
  }
}
