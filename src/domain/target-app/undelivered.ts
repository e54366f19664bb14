import type { ActionOutcome } from './action.ts';
import type { Memory, PendingAction, Undelivered } from './memory.ts';
import { patienceMs } from './waiting.ts';

/** Webhooks that are kept after they could not be delivered. */
const maxUndelivered = 20;

/** A webhook that could not be delivered, as it is kept. */
export function withUndelivered(memory: Memory, action: PendingAction, outcome: ActionOutcome, now: number): Memory {
  const { request, key, subject, plan, summary, lanes, waits } = action;
  const { reason, message } = outcome;
  const kept: Undelivered = { request, key, subject, plan, summary, lanes, at: now, calls: waits + 1, reason, message };
  return { ...memory, undelivered: [...memory.undelivered, kept].slice(-maxUndelivered) };
}

/**
 * Puts undelivered webhooks back, to be sent at once under the ids that they had, and lets those that wait be sent now.
 *
 * @param id of one of them; all without it
 */
export function redelivered(memory: Memory, id: string | undefined, now: number): { memory: Memory; ids: string[] } {
  const isWanted = ({ request, plan }: Pick<PendingAction, 'plan' | 'request'>): boolean =>
    plan.deliverForMs !== undefined && (id === undefined || request.id === id);
  const [again, left] = [memory.undelivered.filter(isWanted), memory.undelivered.filter((each) => !isWanted(each))];
  const back = again.map(
    ({ at: _, calls: __, reason: ___, message: ____, ...kept }): PendingAction => ({
      ...kept,
      request: { ...kept.request, begun: true },
      begun: true,
      waits: 0,
      notBefore: now,
      giveUpAt: now + patienceMs(kept.plan),
    }),
  );
  // One that is being sent at this moment is among those that somebody means.
  const waiting = memory.pending.filter((action) => isWanted(action) && action.waits > 0);
  const pending = memory.pending.map((action) =>
    waiting.includes(action) ? { ...action, notBefore: Math.min(action.notBefore, now) } : action,
  );
  return {
    memory: { ...memory, undelivered: left, pending: [...pending, ...back] },
    ids: [...waiting, ...back].map(({ request }) => request.id),
  };
}
