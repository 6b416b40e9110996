/** What a client is made with. */

import type { Environment } from './environment.js';
import type { Session } from './session.js';
import type { KeyValueStore } from './store.js';

/** How a client comes by its first state. */
export type Beginning =
  /** Lists from `init`, then what follows them: for pages, which keep nothing. */
  | 'list'
  /** The state that the store holds, then the feed from there: for apps. Without one, the whole feed. */
  | 'feed';

export interface ClientOptions {
  session: Session;
  store: KeyValueStore;
  begin: Beginning;
  /** Where the server is; empty for the page's own origin. */
  base?: string;
  environment?: Environment;
}
