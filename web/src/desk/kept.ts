/**
 * What a window remembers of its agent over a reload or a switch of the language: what was begun, which chat is open. Nothing depends
 * on it, so a storage that is full or broken is no trouble. It must not know what it keeps.
 */

export class Kept {
  constructor(
    private readonly storage: Storage,
    /** Put before every name: whose it is. */
    private readonly prefix: string,
  ) {}

  read<Value>(name: string): Value | null {
    try {
      const text = this.storage.getItem(this.prefix + name);
      return text === null ? null : (JSON.parse(text) as Value);
    } catch {
      return null;
    }
  }

  write(name: string, value: unknown): void {
    try {
      this.storage.setItem(this.prefix + name, JSON.stringify(value));
    } catch {
      // Then it goes with the page.
    }
  }
}
