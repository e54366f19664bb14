import proto from '@temporalio/proto';
import type { ActionResult } from '../../src/domain/target-app/action.ts';
import type { ApiCall, Fate } from '../../test/support/api-proxy.ts';
import type { TemporalGate } from '../../test/support/temporal-proxy.ts';
import { type Candidate, isDoing, isEventOf, isStatusOf } from './cells.ts';

const { PollActivityTaskQueueResponse, RespondActivityTaskCompletedRequest } = proto.temporal.api.workflowservice.v1;

/** A candidate on its way to its point. */
interface Course {
  candidate: Candidate;
  /** Begins the ids of its actions. */
  uid: string;
  isThere: boolean;
  /** Temporal has been told the outcome. */
  isReported: boolean;
  /** Temporal has given the action out again since it was held: it is not at its point any more. */
  hasGoneOn: boolean;
}

const tokenOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Whether an action has come to its end, and does not wait. */
function isOutcome({ result }: proto.temporal.api.workflowservice.v1.IRespondActivityTaskCompletedRequest): boolean {
  const told = JSON.parse(Buffer.from(result?.payloads?.[0]?.data ?? []).toString() || '{}') as Partial<ActionResult>;
  return told.status !== 'waiting';
}

/**
 * Holds each action at its point, by what passes between the operator and the two that it speaks with, until the operator is
 * killed. Of what it had sent by then and nobody had got, each call may still arrive.
 */
export class Holds {
  readonly #courses: Course[] = [];
  readonly #actionIds = new Map<string, string>();
  readonly #killed = Promise.withResolvers<void>();

  add(candidate: Candidate, uid: string): void {
    this.#courses.push({ candidate, uid, isThere: false, isReported: false, hasGoneOn: false });
  }

  /** The operator is dead: nothing is held any more. */
  release(): void {
    this.#killed.resolve();
  }

  readonly isThere = ({ name }: Candidate): boolean =>
    this.#courses.some(({ candidate, isThere }) => candidate.name === name && isThere);

  /** Whether it was held until now. */
  isStillThere({ name }: Candidate): boolean {
    return this.#courses.some(({ candidate, isThere, hasGoneOn }) => candidate.name === name && isThere && !hasGoneOn);
  }

  /** A webhook is held by its receiver. */
  noteSent({ name }: Candidate): void {
    for (const course of this.#courses) if (course.candidate.name === name) course.isThere = true;
  }

  readonly fateOf = (call: ApiCall): Fate => {
    for (const course of this.#courses) {
      const { candidate } = course;
      const answered = (): void => {
        course.isThere = true;
      };
      if (candidate.point === 'sent' && isDoing(candidate, call)) return { keeps: 'answer', answered };
      if (!this.#isKept(course, call)) continue;
      course.isThere = true;
      return { keeps: 'request', late: this.#killed.promise.then(() => Math.random() < 0.5) };
    }
    return 'pass';
  };

  #isKept({ candidate, isReported }: Course, call: ApiCall): boolean {
    if (candidate.point === 'decided') return isStatusOf(candidate, call) && call.body.includes('"firedAt"');
    return isReported && (isStatusOf(candidate, call) || isEventOf(candidate, call));
  }

  #courseOf(actionId = ''): Course | undefined {
    return this.#courses.find(({ uid }) => actionId.startsWith(`${uid}:`));
  }

  readonly gate: TemporalGate = {
    keepsRequest: (method, message) => {
      if (method !== 'RespondActivityTaskCompleted') return false;
      const completion = RespondActivityTaskCompletedRequest.decode(message);
      const course = this.#courseOf(this.#actionIds.get(tokenOf(completion.taskToken)));
      if (course === undefined || !isOutcome(completion)) return false;
      const { point } = course.candidate;
      course.isThere ||= point === 'answered';
      course.isReported ||= point === 'reported';
      return point === 'answered';
    },
    empties: (method, message) => {
      if (method !== 'PollActivityTaskQueue') return false;
      const { taskToken, activityId } = PollActivityTaskQueueResponse.decode(message);
      this.#actionIds.set(tokenOf(taskToken), activityId);
      const course = this.#courseOf(activityId);
      if (course === undefined) return false;
      course.hasGoneOn ||= course.isThere;
      course.isThere ||= course.candidate.point === 'before the call';
      return course.candidate.point === 'before the call';
    },
  };
}
