import type { Json } from '../json.ts';
import type { PodRef } from '../refs.ts';

/**
 * One firing of one rule, as the workflow hands it to an action activity. It carries what was seen, never what to do:
 * the parameters are read from the TargetApp by the activity, so neither they nor their secrets enter a history.
 */
export interface ActionRequest {
  /** Stable across retries, worker deaths and continue-as-new; the `Idempotency-Key` of a webhook. */
  id: string;
  /** Metadata of the TargetApp. */
  namespace: string;
  name: string;
  uid: string;
  /** The generation of the TargetApp that decided. */
  generation: number;
  rule: string;
  /** `content` of the plan that decided: what the TargetApp itself no longer says is not done. */
  content: string;
  /** The YAML word of the action. */
  action: string;
  /** Which of the rule's `onRecovery`, from 0; absent for the action of the rule itself. */
  recovery?: number;
  /** The pods that made the rule fire; empty when the app is polled as a whole. */
  pods: PodRef[];
  /** What made it fire. */
  field?: string;
  oldValue?: Json;
  newValue?: Json;
  /** Values of the state paths that the rule's templates mention. */
  values?: Record<string, Json>;
  /** Epoch milliseconds of the decision. */
  at: number;
  /** Decide and report, act on nothing. */
  dryRun: boolean;
  /** An earlier call of this action may have done some of the work. */
  begun?: true;
  /** What the last call of this action that had to wait left for this one. */
  progress?: Json;
}

/** How an action ended. `unknown`: it may or may not have happened, and is not repeated. */
export type OutcomeStatus = 'succeeded' | 'failed' | 'refused' | 'unknown' | 'dryRun';

/** What an action says of itself; data, never an exception. */
export interface ActionOutcome {
  status: OutcomeStatus;
  /** PascalCase, from the documented list of reasons. */
  reason: string;
  /** One sentence for people; no secrets, no bodies. */
  message: string;
  /** Exit code of a command, HTTP status of a webhook. */
  code?: number;
  /** Output of a command, at most 16 KiB. */
  output?: string;
  /** Provably nothing was done, and another try may fare better: the rule has not fired then. */
  undone?: true;
}

/**
 * An action that has to wait: a PodDisruptionBudget refuses, the API server is away, a receiver does not take it. It is
 * not over.
 */
export interface ActionWait {
  status: 'waiting';
  reason: string;
  message: string;
  /** Milliseconds after which it may be asked for again. */
  afterMs: number;
  /** Some of the work is done, or may be. */
  begun?: true;
  /**
   * Handed to the next call as it is; at most about 1 KiB. Whenever it differs from the one before, the work goes on, and
   * the time for which it is waited for begins anew.
   */
  progress?: Json;
}

/** What one call of an action comes to. */
export type ActionResult = ActionOutcome | ActionWait;
