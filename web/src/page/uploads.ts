/** Files on their way into a chat: chosen, pasted or dropped; each becomes a message when the server has it. */

import type { Client, Draft } from '../client/index.js';
import { h } from './dom.js';
import { size, speaker } from './language.js';
import { reason } from './reasons.js';
import { COMMON } from './texts.js';

const say = speaker(COMMON);
/** Longest name in characters: with three bytes each it is below what the server takes. */
const NAME_MAX = 80;

export interface UploadsPort {
  client: Client;
  /** Where what is on its way is told. */
  list: HTMLElement;
  /** What is marked while a file is held over the page. */
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
    // Wherever a file is dropped: the browser would leave the page for it.
    window.addEventListener('dragover', (event) => this.dragged(event));
    for (const over of ['dragleave', 'drop']) window.addEventListener(over, () => port.place.classList.remove('dropping'));
    window.addEventListener('drop', (event) => {
      if (!bearsFiles(event)) return;
      event.preventDefault();
      this.take(event.dataTransfer?.files);
    });
  }

  /** Listens for files that are pasted where one writes. */
  listenTo(box: HTMLElement): void {
    box.addEventListener('paste', (event) => {
      if (this.take(event.clipboardData?.files)) event.preventDefault();
    });
  }

  private dragged(event: DragEvent): void {
    if (!bearsFiles(event)) return;
    event.preventDefault();
    const taken = this.port.chat() !== null;
    if (event.dataTransfer) event.dataTransfer.dropEffect = taken ? 'copy' : 'none';
    this.port.place.classList.toggle('dropping', taken);
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
        trouble(say('not_uploaded', { name, reason: (this.port.reason ?? reason)(error) }), 'bad');
      } finally {
        line.remove();
      }
    }
  }
}

function bearsFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true;
}

/** The end of a name tells more than its middle. */
function shortened(name: string): string {
  const characters = [...(name.trim() || say('file'))];
  if (characters.length <= NAME_MAX) return characters.join('');
  return [...characters.slice(0, NAME_MAX - 13), '…', ...characters.slice(-12)].join('');
}
