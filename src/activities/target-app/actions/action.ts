import type { Json } from '../../../domain/json.ts';
import type { LabelSelector } from '../../../domain/selector.ts';
import type { ActionOutcome, ActionRequest } from '../../../domain/target-app/action.ts';

/** What an action gets besides its parameters. */
export interface ActionContext {
  request: ActionRequest;
  /** Aborted when the attempt is out of time or the worker stops. */
  signal: AbortSignal;
  /** Milliseconds that this attempt may take. */
  timeoutMs: number;
  /** 1 for the first attempt of this activity. */
  attempt: number;
  /** Whether an earlier attempt, or one that had to wait, may have done some of the work. */
  mayBeDone: boolean;
  /** The TargetApp's. */
  selector: LabelSelector;
  /** All Running pods that it matches now, as the watch knows them. */
  matchingPods(): { uid: string; name: string }[];
}

/**
 * What one kind of action does: one file, one line in the table here and one in api/actions.ts, which has its parameters
 * and says whether it may be repeated. `run` returns the outcome as data; it throws `Retry` (only) when
 * another attempt later is allowed and may help, and `Wait` when it is not time yet.
 */
export interface Action<Parameters> {
  /** The YAML word. */
  name: string;
  run(context: ActionContext, parameters: Parameters): Promise<ActionOutcome>;
}

/** Thrown by an action whose next attempt may succeed. `afterMs` is what the other side asked for (`Retry-After`). */
export class Retry extends Error {
  readonly reason: string;
  readonly afterMs: number | undefined;
  constructor(reason: string, message: string, afterMs?: number) {
    super(message);
    this.name = 'Retry';
    this.reason = reason;
    this.afterMs = afterMs;
  }
}

/**
 * Thrown when it is not time yet (a PodDisruptionBudget refuses, the API server is away). No failure and no attempt: the
 * workflow waits, by a timer, and asks again.
 */
export class Wait extends Error {
  readonly reason: string;
  readonly afterMs: number;
  /** Whether some of the work is done, or may be. */
  readonly begun: boolean;
  /** What the next call is to know. */
  readonly progress: Json | undefined;
  constructor(
    reason: string,
    message: string,
    afterMs: number,
    { begun = false, progress }: { begun?: boolean; progress?: Json } = {},
  ) {
    super(message);
    this.name = 'Wait';
    this.reason = reason;
    this.afterMs = afterMs;
    this.begun = begun;
    this.progress = progress;
  }
}
