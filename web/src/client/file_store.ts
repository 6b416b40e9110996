/** A store in a directory, for Node: one file per key, replaced as a whole and synced. Browsers never load this module. */

import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { KeyValueStore } from './store.js';

const SUFFIX = '.json';

export class FileStore implements KeyValueStore {
  private written = 0;

  constructor(private readonly directory: string) {}

  async get(key: string): Promise<string | null> {
    try {
      return await readFile(this.path(key), 'utf8');
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  async set(key: string, value: string): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    this.written += 1;
    const fresh = join(this.directory, `${process.pid}-${this.written}.tmp`);
    const file = await open(fresh, 'w', 0o600);
    try {
      await file.writeFile(value);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(fresh, this.path(key));
  }

  async delete(key: string): Promise<void> {
    await rm(this.path(key), { force: true });
  }

  async keys(prefix: string): Promise<string[]> {
    try {
      const files = await readdir(this.directory);
      const keys = files.filter((file) => file.endsWith(SUFFIX)).map((file) => decodeURIComponent(file.slice(0, -SUFFIX.length)));
      return keys.filter((key) => key.startsWith(prefix)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  private path(key: string): string {
    return join(this.directory, encodeURIComponent(key) + SUFFIX);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
