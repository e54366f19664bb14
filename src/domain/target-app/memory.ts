import { type Failure, failureKey } from '../failure.ts';
import type { Json } from '../json.ts';
import { newResourceMemory, type ResourceMemory } from '../resource-memory.ts';
import type { ActionOutcome, ActionRequest } from './action.ts';
import type { CompiledAction, CompiledSpec } from './compiled-spec.ts';
import type { FiredEpisode, SubscriptionTold } from './observation.ts';
import type { Undecided } from './undecided.ts';

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
  /** Epoch milliseconds of its first observation. */
  seenAt?: number;
}

/** The time during which a rule's condition holds for one subject. Times are epoch milliseconds. */
export interface Episode {
  /** When the condition became true; with the subject it is the episode's identity. */
  since: number;
  /** When the rule last fired in this episode. */
  firedAt?: number;
  /** It fired as a dry run only: nothing was done. */
  dry?: true;
  /** The condition held at the first sight of the subject. */
  baseline?: true;
  /** The field's value before the condition became true. */
  before?: Json;
  /** The reasons that kept it from firing so far: each is said once, not at every poll. */
  suppressed?: SuppressionReason[];
  /** How an action of this episode ended in trouble; absent when none did, or the last one did not. */
  trouble?: Trouble;
  /** Name of the pod; absent for the app as a whole. */
  pod?: string;
  /** The incident of a pod that is gone, which goes on in this pod: its replacement came up no better. */
  inherited?: Incident;
}

/** An episode that has fired and whose end is to be told. */
export interface Incident {
  subject: string;
  /** Name of the pod; absent for the app as a whole. */
  pod?: string;
  since: number;
  firedAt: number;
  dry?: true;
  trouble?: Trouble;
  /** When its pod went; absent while it is there. */
  goneAt?: number;
}

/** An action that did not do what it should. */
export interface Trouble extends Pick<ActionOutcome, 'status' | 'reason' | 'message'> {
  at: number;
}

/** A change that a rule would have fired for, had something not held it back that is no decision of its user. */
export interface MissedEdge {
  since: number;
  before?: Json;
  value?: Json;
  values?: Record<string, Json>;
}

/** What of its own keeps a rule from firing; docs/triggers.md. */
export type HeldBackReason = 'BackOff' | 'Busy' | 'Cooldown' | 'MaxFirings' | 'StartingUp' | 'Unknown';

/** Why a rule that could have fired did not: a hindrance, or what its action, not begun yet, was given up for (docs/actions.md). */
export type SuppressionReason = HeldBackReason | (string & {});

/** One firing, as far as later ones depend on it. */
export interface FiringRecord {
  subject: string;
  at: number;
  /** On a pod that was no better from its first sight on: what was done before did not help. */
  ineffective?: true;
}

/** What the workflow remembers of one rule. */
export interface RuleMemory {
  episodes: Record<string, Episode>;
  /** Firings that cooldown, back-off or `maxFirings` still ask for, and the last ones; oldest first. */
  firings: FiringRecord[];
  /** When everything was well after the last firing; absent while it is not. Back-off starts anew then. */
  calmAt?: number;
  /** Edges that are not used up, by subject. */
  missed?: Record<string, MissedEdge>;
  /** Episodes that fired and whose pods are gone: over when their replacements are well. */
  orphans?: Incident[];
  /** Pods that have ended an orphan's incident, so that none ends two. */
  heirs?: string[];
  /** Whether incomparable values were already reported for this rule. */
  mismatch?: true;
  /** Why it cannot be judged on some subject; absent when it can. */
  undecided?: Undecided;
  /** How the last action of a condition that is true for a moment only ended in trouble. */
  trouble?: Trouble;
  lastOutcome?: ActionOutcome & { actionId: string; at: number };
  lastSuppression?: { reason: SuppressionReason; message: string; at: number };
}

/** What undoing a firing needs beside its request. */
export interface FiringUndo {
  key: string;
  subject: string;
  /** Of the episode. */
  since: number;
  at: number;
  /** The firing before this one in the same episode. */
  firedAt?: number;
  /** A change that was seen once and will not be seen again. */
  edge?: MissedEdge;
}

/** An action that was decided and has not ended. It is handed on at continue-as-new, so nothing has to wait for it. */
export interface PendingAction {
  request: ActionRequest;
  /** Of the rule. */
  key: string;
  subject: string;
  /** How it is run. */
  plan: CompiledAction;
  /** One sentence that says why: the activity's summary. */
  summary: string;
  /** What it must not run beside, nor overtake. */
  lanes: string[];
  /** Absent for what may not be undone: a recovery, or what was sent again. */
  undo?: FiringUndo;
  /** Some of the work may be done. */
  begun?: true;
  /** Calls so far that ended with having to wait. */
  waits: number;
  /** Not to be called before; epoch milliseconds. */
  notBefore: number;
  /** Not to be waited for any longer; epoch milliseconds. */
  giveUpAt: number;
  /** Why it had to wait the last time. */
  reason?: string;
  message?: string;
}

/** A webhook that its receiver did not take in time: kept, so that it can be sent again. */
export interface Undelivered extends Pick<PendingAction, 'request' | 'key' | 'subject' | 'plan' | 'summary' | 'lanes'> {
  at: number;
  calls: number;
  reason: string;
  message: string;
}

/** One word for where a TargetApp stands. */
export type Phase = 'Failed' | 'Initializing' | 'Monitoring' | 'Suspended';

/** How the subscription of one generation of the spec fares. */
export interface SubscriptionMemory extends SubscriptionTold {
  generation: number;
  /** A failure of it was told in an Event: once is enough. */
  hasFailed?: true;
}

/** Everything a TargetApp's workflow knows; plain JSON, handed on whole at continue-as-new. */
export interface Memory extends ResourceMemory {
  /** The spec in force; absent before the first observation. */
  plan?: CompiledSpec;
  /** Pods that the selector matched at the last poll. */
  matched: number;
  /** None of them ran. */
  nothingRuns?: true;
  /** Why it could not be said which pods there are; absent when it could. */
  podsUnknown?: string;
  subjects: Record<string, SubjectMemory>;
  rules: Record<string, RuleMemory>;
  phase?: Phase;
  /** Epoch milliseconds. */
  lastPoll?: number;
  /** Since when a poll is due that has not ended, epoch milliseconds; absent while polls are in time. */
  overdueSince?: number;
  /** Name of the replica that told of it. */
  watchedBy?: string;
  lastChange?: number;
  /** The value of the poll-requested annotation that was answered last. */
  pollRequested?: string;
  /** How the subscription fares; absent before that was told. */
  subscription?: SubscriptionMemory;
  /** Actions that have not ended, in the order in which they were decided. */
  pending: PendingAction[];
  /** Webhooks that could not be delivered, oldest first. */
  undelivered: Undelivered[];
  /** What an earlier life had fired, kept until there is a plan whose rules can take it over. */
  firedEpisodes?: FiredEpisode[];
}

/** The memory of a workflow that has seen nothing yet. */
export const newMemory = (): Memory => ({
  ...newResourceMemory(),
  matched: 0,
  subjects: {},
  rules: {},
  pending: [],
  undelivered: [],
});

export const newRuleMemory = (): RuleMemory => ({ episodes: {}, firings: [] });

/** How a subject is told to the observing activity: the hash of its last state, and which was its last failure. */
export const fingerprintOf = ({ hash, failure }: SubjectMemory): string =>
  failure === undefined ? (hash ?? '') : `${hash ?? ''}!${failureKey(failure)}`;
