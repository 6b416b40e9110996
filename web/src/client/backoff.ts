/** How long to wait before the next try: from 0.5 s, doubling up to 30 s, varied by half. */

const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** The pause before try number `attempt`, counted from 0; `random` is from 0 to below 1. */
export function pauseMs(attempt: number, random: number): number {
  const middle = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(middle * (0.5 + random));
}
