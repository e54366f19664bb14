import type { ActionOutcome } from './action.ts';
import type { EventRecord, RecentEvent } from './events.ts';
import type { Json } from './json.ts';
import { type Failure, failureKey } from './observation.ts';
import type { Pacing } from './pacing.ts';
import type { Plan } from './plan.ts';

/** What the workflow remembers of one pod, or of the app as a whole. */
export interface SubjectMemory {
  name: string;
  /** Hash of the last state that was observed; absent before the first one. */
  hash?: string;
  state?: Json;
  /** Paths whose values were unknown in the last observation, and what was the matter with them. */
  unknown?: string[];
  why?: string;
  /** Those of them that were errors in every observation so far, so that `state` has no value of theirs. */
  unseen?: string[];
  /** Why the last observation failed; absent when it did not. */
  failure?: Failure;
  /** When its app was started, epoch milliseconds, and what its startup probes allow it to take; as told at first sight. */
  startedAt?: number;
  startupMs?: number;
}

/** The time during which a rule's condition holds for one subject. Times are epoch milliseconds. */
export interface Episode {
  /** When the condition became true; with the subject it is the episode's identity. */
  since: number;
  /** When the rule last fired in this episode. */
  firedAt?: number;
  /** The condition held at the first sight of the subject. */
  baseline?: true;
  /** The field's value before the condition became true. */
  before?: Json;
  /** The reasons that kept it from firing so far: each is said once, not at every poll. */
  suppressed?: SuppressionReason[];
}

/** Why a rule that could have fired did not. */
export type SuppressionReason = 'BackOff' | 'Cooldown' | 'MaxFirings' | 'Unknown';

/** What the workflow remembers of one rule. */
export interface RuleMemory {
  episodes: Record<string, Episode>;
  /** Last firing per subject; outlives the episode for the sake of `cooldown`. */
  lastFired: Record<string, number>;
  /** Last firing of all; outlives the subjects, for the status. */
  lastFiredAt?: number;
  /** Times of the firings within the `maxFirings` window. */
  firings: number[];
  /** Firings on pods that were no better from their first sight on: what was done to those before them did not help. */
  inVain?: { count: number; at: number };
  /** Whether incomparable values were already reported for this rule. */
  mismatch?: true;
  lastOutcome?: ActionOutcome & { actionId: string; at: number };
  lastSuppression?: { reason: SuppressionReason; message: string; at: number };
}

/** A status condition as it was last reported. */
export interface ConditionMemory {
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  /** Epoch milliseconds of the last change of `status`. */
  since: number;
}

/** One word for where a TargetApp stands. */
export type Phase = 'Failed' | 'Initializing' | 'Monitoring' | 'Suspended';

/** Everything a TargetApp's workflow knows; plain JSON, handed on whole at continue-as-new. */
export interface Memory {
  plan?: Plan;
  /** Pods that the selector matched at the last poll. */
  matched: number;
  /** None of them ran. */
  nothingRuns?: true;
  /** Why it could not be said which pods there are; absent when it could. */
  podsUnknown?: string;
  subjects: Record<string, SubjectMemory>;
  rules: Record<string, RuleMemory>;
  /** Recent Events by what they say, so that a repeat raises a count. */
  events: Record<string, RecentEvent>;
  /** Events that are not recorded yet. */
  outbox: EventRecord[];
  /** How much may be told now, and what waits for that; absent while there is room for all. */
  pacing?: Pacing;
  conditions: Record<string, ConditionMemory>;
  /** As it was last told, so that a change of it is an Event. */
  phase?: Phase;
  /** Digest and time of the last status that was written. */
  reported?: { digest: string; at: number };
  /** Epoch milliseconds. */
  lastPoll?: number;
  lastChange?: number;
  /** The value of the poll-requested annotation that was answered last. */
  pollRequested?: string;
  /** Stopped by an update of the workflow, beside `spec.suspend`. */
  held?: boolean;
}

/** The memory of a workflow that has seen nothing yet. */
export const newMemory = (): Memory => ({
  matched: 0,
  subjects: {},
  rules: {},
  events: {},
  outbox: [],
  conditions: {},
});

export const newRuleMemory = (): RuleMemory => ({ episodes: {}, lastFired: {}, firings: [] });

/** How a subject is told to the observing activity: the hash of its last state, and which was its last failure. */
export const fingerprintOf = ({ hash, failure }: SubjectMemory): string =>
  failure === undefined ? (hash ?? '') : `${hash ?? ''}!${failureKey(failure)}`;
