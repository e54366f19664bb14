import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';

/** How long to wait, and what to show when it was in vain. */
export interface Patience {
  /** Default 60,000: whoever waits for a state does not say how fast it comes, and a busy machine takes its time. */
  timeoutMs?: number;
  /** Asked at the end only: what there was instead. */
  instead?: () => unknown;
}

const shown = (value: unknown): string => inspect(value, { depth: 8, breakLength: 140, maxStringLength: 600 });

/** Asks until the answer is truthy, and answers with it; fails with what was waited for and what there was instead. */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  { timeoutMs = 60_000, instead }: Patience = {},
): Promise<Exclude<NonNullable<T>, false>> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer as Exclude<NonNullable<T>, false>;
    if (Date.now() > deadline) {
      const seen = instead === undefined ? answer : await instead();
      throw new Error(`waited ${timeoutMs} ms in vain until ${what}; instead: ${shown(seen)}`);
    }
    await delay(25);
  }
}
