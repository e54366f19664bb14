import type { Failure } from '../failure.ts';
import type { Json } from '../json.ts';
import type { ObjectRef } from '../refs.ts';
import type { Telling, Told } from '../telling.ts';
import type { CompiledSpec } from './compiled-spec.ts';
import type { PodsSeen } from './findings.ts';

/** The key of what a state belongs to: a pod's uid, or this for an app that is polled as a whole. */
export const wholeApp = 'app';

/** What one poll learnt about one subject, when it differs from what the workflow knew. */
export interface Reading {
  /** Pod uid, or `wholeApp`. */
  subject: string;
  /** Pod name, or the TargetApp's name; empty for a known pod whose name cannot be asked for. */
  name: string;
  /** Hash of the state that was observed; absent on failure. */
  hash?: string;
  /** The state, only when its hash differs from the one told. */
  state?: Json;
  failure?: Failure;
  /** Paths that came back with a GraphQL error, or as numbers that cannot be compared: their values are unknown, not null. */
  unknown?: string[];
  /** What is the matter with them, one sentence. */
  why?: string;
  /** Told with the first reading of a pod: when its app was started, epoch milliseconds. */
  startedAt?: number;
  /** The same: how long its startup probes allow it to take, in milliseconds; absent without one. */
  startupMs?: number;
}

/** What has fired, as mirrored in `status.rules[]`: the memory of a workflow whose database was lost. */
export interface FiredEpisode {
  rule: string;
  /** The rule's `question` and `content`, with a hyphen between them: the mirror is believed for that rule only. */
  digest: string;
  subject: string;
  /** Epoch milliseconds of the episode's opening; also its id. */
  since: number;
  /** Epoch milliseconds of the last firing; absent when it has not fired. */
  firedAt?: number;
  /** It fired as a dry run only. */
  dry?: true;
  /** The action that had not ended yet. */
  pending?: string;
}

/** The answer of one poll: only what differs from what was told. `{matched: n}` is an unchanged poll. */
export interface Observation {
  /** How many pods the selector matches now. */
  matched: number;
  /** No pod that the selector matches runs; only of an app whose pods are asked. */
  nothingRuns?: true;
  /** Why it cannot be said which pods there are; absent when it can. `matched` is then what was known. */
  podsUnknown?: string;
  /** The TargetApp is gone, or its name belongs to another uid. */
  deleted?: true;
  /**
   * Nobody was asked: because the TargetApp is stopped, or because the poll was given too little time for this plan and number
   * of pods, which are told, so that the next poll (at once) is given enough; or because there was no room for it.
   */
  unasked?: 'again' | 'late' | 'stopped';
  /** The plan, when its digest is not the one told. */
  plan?: CompiledSpec;
  /** Given to a workflow that knew no plan: what an earlier life of it had fired. */
  mirror?: FiredEpisode[];
  /** Subjects whose state or failure differs from what was told. */
  readings?: Reading[];
  /** Subjects told that no longer exist. */
  gone?: string[];
  /** The value of `kco.local/poll-requested-at`, when it is not the one told. */
  pollRequested?: string;
  /** Names of the search attributes that Temporal has, when they are not those told; null: all. */
  attributes?: string[] | null;
  /** How the subscription of this generation fares, when that is not what was told. */
  subscription?: SubscriptionTold;
  /** A poll is due since then (epoch milliseconds) and has not ended; null: one has ended, and that was told. */
  overdue?: { since: number } | null;
  /** Name of the replica that tells this. */
  by?: string;
  /** What became of what the turn was to tell. */
  told?: Told;
}

/** How the subscription fares: why it cannot be kept; without a failure it is. */
export interface SubscriptionTold {
  failure?: Failure;
}

/** What the workflow knows of the subscription of its plan; `recovered`: it is kept, and a failure was told before. */
export type SubscriptionKnown = 'failed' | 'kept' | 'recovered';

/** What a turn of many polls is told beside what each poll is. */
export interface TurnInput {
  /** What is known of the pods: a poll that finds them so, and nothing else that differs, does not end the turn. */
  seen: PodsSeen;
  /** The workflow knows that the TargetApp is stopped. */
  stopped?: true;
  /** Milliseconds that it lasts at most. */
  lengthMs: number;
  /** Epoch milliseconds from which on the next poll ends the turn, whatever it finds; absent: there is no such time. */
  until?: number;
  /** What is to be told before all: what the turn before has led to. */
  tell?: Telling;
}

/** Whether a poll of a turn has something to tell. */
export const isNews = (
  { matched, nothingRuns, podsUnknown, unasked, by: _, told: __, ...news }: Observation,
  known: Pick<TurnInput, 'seen' | 'stopped'>,
): boolean =>
  Object.keys(news).length > 0 ||
  (unasked === 'stopped') !== (known.stopped === true) ||
  nothingRuns !== known.seen.nothingRuns ||
  podsUnknown !== known.seen.podsUnknown ||
  (podsUnknown === undefined && matched !== known.seen.matched);

/** Whether all that a poll has to tell is that subjects do not answer as they should. */
export const isMereFailure = ({
  readings = [],
  matched: _,
  nothingRuns: __,
  by: ___,
  told: ____,
  ...more
}: Observation): boolean =>
  readings.length > 0 && readings.every(({ failure }) => failure !== undefined) && Object.keys(more).length === 0;

/** What a poll is told: references and hashes, nothing that the worker's own cache knows. */
export interface ObserveInput {
  app: ObjectRef;
  /** Epoch milliseconds at which this poll was due: the measure of its lag. */
  due: number;
  /** Digest of the plan that the workflow has; absent when it has none. */
  plan?: string;
  /** Fingerprint of each known subject (`fingerprintOf`). */
  known: Record<string, string>;
  /** Look at the object only, ask no pod. */
  held?: true;
  /** Something was said to have changed: this worker's watch may be behind, so read the object itself. */
  fresh?: true;
  /** The value of the poll-requested annotation that was answered last. */
  pollRequested?: string;
  /** Polls until there is something to tell; absent: once. */
  turn?: TurnInput;
  /** Names of the search attributes that Temporal has, as far as the workflow knows; absent: all. */
  attributes?: string[];
  /** Absent: nothing, or nothing of this generation. */
  subscription?: SubscriptionKnown;
  /** It was told that a poll is overdue. */
  overdue?: true;
}
