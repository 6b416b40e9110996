/** Who the customer of this browser is: signed in as soon as the server answers, and followed when another window lets somebody new begin. */

import { ApiError, Session, type SessionContext, mayPass, pauseMs } from '../client/index.js';
import { language } from '../page/language.js';

/** The customer that this browser had, or a new one; asks until there is an answer. */
export async function signedIn(context: SessionContext, tenant: string): Promise<Session> {
  for (let attempt = 0; ; attempt += 1) {
    const kept = await Session.restore(context, tenant);
    if (kept) return kept;
    try {
      return await Session.anonymous(context, tenant, navigator.userAgent, language === 'zh' ? 'zh-CN' : 'en');
    } catch (error) {
      if (!mayPass(error)) throw error;
      const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
      await pause(Math.max(asked, pauseMs(attempt, Math.random())));
    }
  }
}

/** Calls when this browser has another customer than this one, now or later. */
export function onAnother(context: SessionContext, session: Session, found: () => void): () => Promise<void> {
  const look = async () => {
    const kept = await Session.restore(context, session.tenant);
    if (kept && kept.id !== session.id) found();
  };
  window.addEventListener('storage', () => void look());
  return look;
}

/** A while, or until the network is back. */
async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener('online', done);
  });
}
