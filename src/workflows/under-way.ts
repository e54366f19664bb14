import { isCancellation } from '@temporalio/workflow';
import type { ResourceMemory } from '../domain/resource-memory.ts';
import type { RunState } from './run-state.ts';

/**
 * Begins work beside the turns that has to end in this run, under an id of its own; `take` gets its result, to be committed to
 * the memory of then. A rejection is a fault and fails the workflow's task, but for a cancellation of the whole workflow.
 */
export function begin<M extends ResourceMemory, R>(
  run: RunState<M>,
  id: string,
  work: Promise<R>,
  take: (result: R) => void,
): void {
  const ended = work.then(
    (result) => {
      run.underWay.delete(id);
      take(result);
    },
    (error) => {
      run.underWay.delete(id);
      if (!isCancellation(error)) throw error;
    },
  );
  run.underWay.set(id, ended);
}

/**
 * The same of work that the state asks for, one at a time: where it is under way already, another turn follows it.
 *
 * @public for kinds to come; CONTRIBUTING.md says how
 */
export function beginAlone<M extends ResourceMemory, R>(
  run: RunState<M>,
  id: string,
  work: () => Promise<R>,
  take: (result: R) => void,
): void {
  const before = run.underWay.get(id);
  if (before === undefined) begin(run, id, work(), take);
  else
    void before.then(() => {
      run.dirty = true;
    });
}
