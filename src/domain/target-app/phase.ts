import type { EventDraft } from '../events.ts';
import { inSeconds } from '../seconds.ts';
import type { Memory, Phase } from './memory.ts';
import { isSuspended } from './suspension.ts';

/** One word for where a TargetApp stands. */
export function phaseOf(memory: Memory, now: number): Phase {
  if (memory.plan?.problems.length) return 'Failed';
  if (isSuspended(memory.plan, memory.suspendedByUpdate, now)) return 'Suspended';
  return memory.plan === undefined || memory.lastPoll === undefined ? 'Initializing' : 'Monitoring';
}

/** The Event of a change of phase; none where nothing new is said. */
export function phaseEvents({ phase: before, plan }: Pick<Memory, 'phase' | 'plan'>, after: Phase): EventDraft[] {
  if (plan === undefined) return [];
  const [problem] = plan.problems;
  if (problem !== undefined)
    return [
      {
        type: 'Warning',
        reason: 'InvalidSpec',
        message: `${problem.field}: ${problem.message}`,
        sameAs: `${problem.field}: ${problem.message}`,
      },
    ];
  if (before === after) return [];
  if (after === 'Suspended')
    return [{ type: 'Normal', reason: 'Suspended', message: 'polling and acting are suspended' }];
  const every = inSeconds(plan.intervalMs);
  if (after === 'Monitoring' && before === 'Suspended')
    return [{ type: 'Normal', reason: 'Resumed', message: `polls ${plan.endpoint} every ${every} again` }];
  if (after === 'Monitoring')
    return [{ type: 'Normal', reason: 'MonitoringStarted', message: `polls ${plan.endpoint} every ${every}` }];
  return [];
}
