import type { Episode, RuleMemory, SuppressionReason } from './memory.ts';
import type { Plan, RulePlan } from './plan.ts';

/** What advancing a rule needs; `memory` is this turn's own copy and may be written. */
export interface RuleTurn {
  /** The TargetApp's. */
  uid: string;
  plan: Plan;
  rule: RulePlan;
  memory: RuleMemory;
  /** Epoch milliseconds. */
  now: number;
}

/** What keeps a rule from firing. */
export interface Hindrance {
  reason: SuppressionReason;
  message: string;
}

const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;

/** As Kubernetes does with containers that crash again and again: 10 s, 20 s, 40 s … 5 min; forgotten after 10 min. */
const backOff = { firstMs: 10_000, longestMs: 300_000, forgottenMs: 600_000 };

/**
 * A pod that comes up in the state for which its predecessor was restarted must not be restarted at every poll: each
 * time that does not help, the next attempt waits longer.
 */
function backOffOf({ rule, memory, now }: RuleTurn, episode: Episode): Hindrance | undefined {
  const { inVain } = memory;
  if (!rule.onPods || !episode.baseline || inVain === undefined || inVain.at === now) return undefined;
  if (now - inVain.at >= backOff.forgottenMs) return undefined;
  const waitMs = Math.min(backOff.longestMs, backOff.firstMs * 2 ** (inVain.count - 1));
  if (now - inVain.at >= waitMs) return undefined;
  return {
    reason: 'BackOff',
    message: `it did not help ${seconds(now - inVain.at)} ago, the back-off is ${seconds(waitMs)}`,
  };
}

/** Counts a firing on a pod that was no better from the start; several in one turn are one. */
export function countInVain({ memory, now }: RuleTurn, episode: Episode): void {
  if (!episode.baseline || memory.inVain?.at === now) return;
  const isOld = memory.inVain === undefined || now - memory.inVain.at >= backOff.forgottenMs;
  memory.inVain = { count: isOld ? 1 : (memory.inVain?.count ?? 0) + 1, at: now };
}

/** Why a rule may not fire now, if so. */
export function hindranceTo(turn: RuleTurn, subject: string, episode: Episode): Hindrance | undefined {
  const { rule, memory, now } = turn;
  const last = memory.lastFired[subject];
  if (last !== undefined && now - last < rule.cooldownMs)
    return {
      reason: 'Cooldown',
      message: `fired ${seconds(now - last)} ago, the cooldown is ${seconds(rule.cooldownMs)}`,
    };
  const backedOff = backOffOf(turn, episode);
  if (backedOff !== undefined || rule.maxFirings === undefined) return backedOff;
  const { max, perMs } = rule.maxFirings;
  memory.firings = memory.firings.filter((at) => now - at < perMs);
  if (memory.firings.length < max) return undefined;
  return {
    reason: 'MaxFirings',
    message: `fired ${memory.firings.length} times within ${seconds(perMs)}, the limit is ${max}`,
  };
}
