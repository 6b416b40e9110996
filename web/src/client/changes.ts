/** Tells that something is different, several changes at once together. It must not know what is. */

export class Changes {
  private readonly listeners = new Set<() => void>();
  private notifying = false;

  /** Answers how to stop being told. */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  tell(): void {
    if (this.notifying) return;
    this.notifying = true;
    queueMicrotask(() => {
      this.notifying = false;
      for (const listener of this.listeners) listener();
    });
  }
}
