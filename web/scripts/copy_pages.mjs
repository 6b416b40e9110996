/** Puts what is not TypeScript beside what the compiler wrote: the pages and their styles. */

import { cp } from 'node:fs/promises';

const plain = /\.(html|css|svg)$/;
await cp('src', 'dist', { recursive: true, filter: (path) => plain.test(path) || !/\.[^/]*$/.test(path) });
