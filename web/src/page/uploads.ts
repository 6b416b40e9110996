/** Files on their way into a chat: chosen, pasted or dropped; each becomes a message when the server has it. */

import { ApiError, type Client, type Draft } from '../client/index.js';
import { h } from './dom.js';
import { size, speaker } from './language.js';
import { COMMON } from './texts.js';

const say = speaker(COMMON);
/** Longest name in characters: with three bytes each it is below what the server takes. */
const NAME_MAX = 80;

export interface UploadsPort {
  client: Client;
  /** Where what is on its way is told. */
  list: HTMLElement;
  /** Where files may be dropped. */
  place: HTMLElement;
  chat(): string | null;
  dress(draft: Draft): Draft;
  trouble(text: string, kind: 'bad'): void;
  /** Why something was not done, in the words of the page. */
  reason?(error: unknown): string;
}

export class Uploads {
  /** What one presses to choose a file. */
  readonly button: HTMLElement;
  /** The browser's own way of choosing; hidden behind the button. */
  readonly picker: HTMLInputElement;

  constructor(private readonly port: UploadsPort) {
    this.picker = h('input', { type: 'file', name: 'file', multiple: true, hidden: true, 'aria-label': say('attach') });
    this.picker.addEventListener('change', () => {
      this.take(this.picker.files);
      // The same file can be chosen again.
      this.picker.value = '';
    });
    const choose = () => this.picker.click();
    this.button = h('button', { type: 'button', class: 'attach', title: say('attach_hint'), click: choose }, say('attach'));
    const { place } = port;
    place.addEventListener('dragover', (event) => {
      if (this.port.chat() === null || event.dataTransfer?.types.includes('Files') !== true) return;
      event.preventDefault();
      place.classList.add('dropping');
    });
    for (const over of ['dragleave', 'drop']) place.addEventListener(over, () => place.classList.remove('dropping'));
    place.addEventListener('drop', (event) => {
      if (this.take(event.dataTransfer?.files)) event.preventDefault();
    });
  }

  /** Listens for files that are pasted where one writes. */
  listenTo(box: HTMLElement): void {
    box.addEventListener('paste', (event) => {
      if (this.take(event.clipboardData?.files)) event.preventDefault();
    });
  }

  private take(files: FileList | null | undefined): boolean {
    const chat = this.port.chat();
    if (chat === null || !files || files.length === 0) return false;
    void this.sendAll(chat, [...files]);
    return true;
  }

  /** One after the other, so that they stand in the order in which they were chosen. */
  private async sendAll(chat: string, files: File[]): Promise<void> {
    const { client, dress, list, trouble } = this.port;
    for (const file of files) {
      const name = shortened(file.name);
      // For whom it is was said when it was chosen.
      const draft = dress({ content: name });
      const line = h('li', {}, say('uploading', { name, size: size(file.size) }));
      list.append(line);
      try {
        const { kind, url, bytes, media_type } = await client.api.upload(chat, file, name);
        await client.send(chat, { ...draft, kind, url, ext: { bytes, media_type } });
      } catch (error) {
        trouble(this.reason(error), 'bad');
      } finally {
        line.remove();
      }
    }
  }

  private reason(error: unknown): string {
    const code = error instanceof ApiError ? error.code : String(error);
    if (code === 'too_large') return say('file_too_large');
    if (code === 'kind_not_allowed') return say('kind_not_allowed');
    return say('not_uploaded', { code: this.port.reason?.(error) ?? code });
  }
}

/** The end of a name tells more than its middle. */
function shortened(name: string): string {
  const characters = [...(name.trim() || say('file'))];
  if (characters.length <= NAME_MAX) return characters.join('');
  return [...characters.slice(0, NAME_MAX - 13), '…', ...characters.slice(-12)].join('');
}
