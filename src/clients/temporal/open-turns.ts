import { ActivityNotFoundError, type AsyncCompletionClient } from '@temporalio/client';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { turnId } from '../../domain/turn-id.ts';

/** Which turn: by the token of an attempt, which is void when there is a later one, or the one that a workflow has open. */
export type TurnRef = Uint8Array | { workflowId: string };

/** Ends turns from outside: activities that are open without anybody's beating for them. */
export interface OpenTurns {
  /** Ends a turn with what it has seen. Resolves with false when there is no such turn any more; rejects while Temporal is away. */
  complete(turn: TurnRef, seen: unknown): Promise<boolean>;
  /** Lets go of a turn: its next attempt begins at once, at whatever worker takes it. Resolves and rejects as `complete`. */
  release(turn: TurnRef): Promise<boolean>;
}

/** After how long an attempt that nobody holds here comes again, in milliseconds. Temporal takes 0 for "not said". */
const atOnceMs = 1;

/** An attempt that ends because the next one belongs elsewhere: nothing went wrong, so nothing is logged or counted. */
export const turnReleased = (afterMs = atOnceMs): ApplicationFailure =>
  ApplicationFailure.create({
    type: 'TurnReleased',
    message: 'the turn goes on elsewhere',
    nextRetryDelay: afterMs,
    category: ApplicationFailureCategory.BENIGN,
  });

const idOf = (turn: TurnRef) => (turn instanceof Uint8Array ? turn : { ...turn, activityId: turnId });

async function isThere(ending: Promise<void>): Promise<boolean> {
  try {
    await ending;
    return true;
  } catch (error) {
    if (error instanceof ActivityNotFoundError) return false;
    throw error;
  }
}

/** Ends turns by this client. */
export const createOpenTurns = (activities: AsyncCompletionClient): OpenTurns => ({
  // The client's overloads tell tokens from ids; both are taken.
  complete: (turn, seen) => isThere(activities.complete(idOf(turn) as Uint8Array, seen)),
  release: (turn) => isThere(activities.fail(idOf(turn) as Uint8Array, turnReleased())),
});
