import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { JsonObject } from '../domain/json.ts';

/** Look again: the object, one of its annotations, or its existence has changed. Carries nothing on purpose. */
export const resourceChanged = defineSignal('resourceChanged');

/** What the workflow knows now, in the words of the status. */
export interface CurrentState {
  /** As it stands (or is about to stand) in the custom resource. */
  status: JsonObject;
  /** RFC 3339; when the next poll is due. */
  nextPoll: string;
  /** Ids of actions that are running. */
  runningActions: string[];
}
export const currentState = defineQuery<CurrentState>('currentState');

/** What one turn saw: the phase, and what else the kind has to say in short. */
export interface TurnSummary extends JsonObject {
  phase: string;
}
/** Polls at once and answers with what was seen. Refused while suspended. */
export const pollNow = defineUpdate<TurnSummary>('pollNow');

/** Stops polling and acting until `resume`, beside `spec.suspend`. Answers with the phase. */
export const suspend = defineUpdate<string>('suspend');
/** Takes back `suspend`; does not overrule `spec.suspend`. Answers with the phase. */
export const resume = defineUpdate<string>('resume');
