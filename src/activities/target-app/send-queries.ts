import type { Graphql, GraphqlResult } from '../../clients/graphql/client.ts';
import type { ObserveInput } from '../../domain/target-app/observation.ts';
import { bytesOf, keepBytesOf } from './answer-bytes.ts';
import type { QueryTarget } from './query-targets.ts';
import type { EffectiveSpec } from './reader.ts';

/** Runs tasks with at most `limit` under way; the results in the order of the tasks. */
async function bounded<T>(tasks: (() => Promise<T>)[], limit: number): Promise<T[]> {
  const results: T[] = new Array(tasks.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < tasks.length) {
      const index = next++;
      const task = tasks[index];
      if (task !== undefined) results[index] = await task();
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, tasks.length) }, lane));
  return results;
}

/** Sends the query to each target, to so many at once as the plan allows; the results in the order of the targets. */
export const sendQueries = (
  graphql: Graphql,
  targets: QueryTarget[],
  inForce: EffectiveSpec,
  { known, signal }: { known: ObserveInput['known']; signal: AbortSignal },
): Promise<GraphqlResult[]> => {
  const { timeoutMs, queriesAtOnce } = inForce.plan;
  keepBytesOf(
    inForce,
    targets.map(({ subject }) => subject),
  );
  const tasks = targets.map((target) => async (): Promise<GraphqlResult> => {
    if ('failure' in target) return { ok: false, failure: target.failure };
    const bytes = bytesOf(inForce, target.subject);
    bytes.expect(known[target.subject]);
    return graphql.query({ ...target.request, deadlineMs: timeoutMs, signal, known: bytes });
  });
  return bounded(tasks, queriesAtOnce);
};
