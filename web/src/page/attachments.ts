/**
 * Files in messages: pictures are shown, everything else is offered as a download. What a file is, the server has told from its
 * content; a page shows nothing but pictures of a fixed list, from memory, and never opens a file as a document.
 */

import { type Api, type Message, SignedOutError, mayPass } from '../client/index.js';
import { h } from './dom.js';
import { size, speaker } from './language.js';
import { COMMON } from './texts.js';

const say = speaker(COMMON);
/** Types that a picture element shows without running anything. */
const SHOWN = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp'];
/** Pictures kept in memory; older ones are read again when they are looked at. */
const KEPT_MAX = 100;
/** A picture that could not be read, and may be readable later, is read again after this long. */
const AGAIN_MS = 15_000;
/** How long a browser may take to begin with a download. */
const SAVED_WITHIN_MS = 60_000;

export class Attachments {
  /** Where pictures are in memory, by their address; the longest kept first. */
  private readonly pictures = new Map<string, Promise<string>>();

  constructor(
    private readonly api: Api,
    private readonly trouble: (error: unknown) => void,
  ) {}

  /** What stands for the file of a message; null when it has none. */
  view(message: Message): HTMLElement | null {
    const { url } = message;
    if (!this.api.isAttachment(url)) return null;
    const name = message.content?.trim() || say('file');
    return message.kind === 'picture' ? this.picture(url, name, message) : this.download(url, name, message);
  }

  private picture(url: string, name: string, message: Message): HTMLElement {
    const image = h('img', { alt: name, decoding: 'async' });
    const button = h('button', { type: 'button', class: 'picture', 'aria-label': say('show_large', { name }) }, image);
    button.addEventListener('click', () => void this.enlarge(url, name).catch(this.trouble));
    const figure = h('figure', { class: 'attachment' }, button, h('figcaption', { class: 'dim' }, name));
    const show = () =>
      this.load(url).then(
        (source) => (image.src = source),
        (error: unknown) => {
          if (mayPass(error)) setTimeout(() => figure.isConnected && void show(), AGAIN_MS);
          // Gone, or no picture whatever the message says.
          else if (!(error instanceof SignedOutError)) figure.replaceWith(this.download(url, name, message));
        },
      );
    void show();
    return figure;
  }

  private download(url: string, name: string, message: Message): HTMLElement {
    const bytes = bytesOf(message.ext);
    const save = () => void this.save(url, name).catch(this.trouble);
    const label = say('download', { name });
    return h(
      'div',
      { class: 'attachment' },
      h('button', { type: 'button', class: 'file', 'aria-label': label, title: label, click: save }, `⬇ ${name}`),
      bytes !== null && h('span', { class: 'dim' }, size(bytes)),
    );
  }

  private async enlarge(url: string, name: string): Promise<void> {
    const image = h('img', { alt: name, src: await this.load(url) });
    const save = h('button', { type: 'button', click: () => void this.save(url, name).catch(this.trouble) }, say('download', { name }));
    const close = h('form', { method: 'dialog', class: 'row' }, save, h('button', { class: 'strong' }, say('close')));
    const dialog = h('dialog', { class: 'large', 'aria-label': name }, image, close);
    dialog.addEventListener('close', () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  /** Where a picture is in memory. */
  private load(url: string): Promise<string> {
    const known = this.pictures.get(url);
    if (known) return known;
    const loading = this.api.attachment(url).then((file) => {
      const type = SHOWN.find((shown) => shown === file.type);
      if (type === undefined) throw new TypeError('not a picture');
      return URL.createObjectURL(new Blob([file], { type }));
    });
    this.pictures.set(url, loading);
    loading.catch(() => this.pictures.delete(url));
    const [oldest] = this.pictures;
    if (oldest && this.pictures.size > KEPT_MAX) {
      this.pictures.delete(oldest[0]);
      oldest[1].then(URL.revokeObjectURL, () => undefined);
    }
    return loading;
  }

  /** Hands a file to the browser's downloads, as bytes of no particular type. */
  private async save(url: string, name: string): Promise<void> {
    const file = await this.api.attachment(url);
    const source = URL.createObjectURL(new Blob([file], { type: 'application/octet-stream' }));
    h('a', { href: source, download: name.replace(/[\\/\u0000-\u001f]/g, '_') }).click();
    setTimeout(() => URL.revokeObjectURL(source), SAVED_WITHIN_MS);
  }
}

/** The size that the sender noted; nothing rests on it. */
function bytesOf(ext: unknown): number | null {
  if (typeof ext !== 'object' || ext === null || !('bytes' in ext)) return null;
  return typeof ext.bytes === 'number' && Number.isSafeInteger(ext.bytes) && ext.bytes >= 0 ? ext.bytes : null;
}
