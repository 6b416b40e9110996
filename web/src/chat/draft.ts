/** What was begun and not sent, kept while this window lives: a reload does not lose it. It must not know how it is sent. */

export class DraftKeeper {
  private chat: string | null = null;

  constructor(
    private readonly form: HTMLFormElement,
    private readonly prefix: string,
  ) {
    // After whoever sends has emptied the box.
    for (const kind of ['input', 'keydown', 'submit', 'click']) form.addEventListener(kind, () => queueMicrotask(() => this.keep()));
    window.addEventListener('pagehide', () => this.keep());
  }

  /** The box is now for this chat: what was begun there stands in it again. */
  turnTo(chat: string): void {
    if (chat === this.chat) return;
    this.chat = chat;
    const box = this.box();
    if (box?.value === '') box.value = sessionStorage.getItem(this.prefix + chat) ?? '';
  }

  private keep(): void {
    const box = this.box();
    if (this.chat === null || !box) return;
    if (box.value === '') sessionStorage.removeItem(this.prefix + this.chat);
    else sessionStorage.setItem(this.prefix + this.chat, box.value);
  }

  private box(): HTMLTextAreaElement | null {
    return this.form.querySelector('textarea');
  }
}
