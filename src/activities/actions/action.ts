import type { z } from 'zod';
import type { ActionOutcome, ActionRequest } from '../../domain/action.ts';

/** What an action gets besides its parameters. */
export interface ActionContext {
  request: ActionRequest;
  /** Aborted when the attempt is out of time or the worker stops. */
  signal: AbortSignal;
  /** Milliseconds that this attempt may take. */
  timeoutMs: number;
  /** 1 for the first attempt. A later one may find its work done already. */
  attempt: number;
  /** All Running pods that the TargetApp's selector matches now, for actions on `pods: all`. */
  matchingPods(): { uid: string; name: string }[];
}

/**
 * One kind of action: one file, one line in the table. `run` returns the outcome as data; it throws `Retry` (only) when
 * another attempt later is allowed and may help.
 */
export interface Action<Parameters> {
  /** The YAML word. */
  name: string;
  /** Its parameters as they stand in the custom resource. */
  parameters: z.ZodType<Parameters>;
  /** Whether a lost attempt may be repeated, given the parameters (false: at most once). */
  repeatable(parameters: Parameters): boolean;
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
