/** The title of the window: how many messages are unread, and what the page is. */

import type { Client } from '../client/index.js';

/** Shows in the title how many messages nobody has read yet. */
export function titled(page: string, unread: number): void {
  const title = unread === 0 ? page : `(${unread > 99 ? '99+' : unread}) ${page}`;
  if (document.title !== title) document.title = title;
}

/** How many messages are unread in all chats. */
export function unreadIn(client: Client): number {
  return Object.values(client.state.unread).reduce((sum, count) => sum + count, 0);
}
