import { createHash } from 'node:crypto';
import { onlySelected } from '../../api/target-app/only-selected.ts';
import { unselected } from '../../api/target-app/query.ts';
import type { GraphqlResult } from '../../clients/graphql/client.ts';
import { comparable } from '../../domain/diff.ts';
import { type Failure, failureKey, failureOf } from '../../domain/failure.ts';
import type { Json } from '../../domain/json.ts';
import { type ObserveInput, type Reading, wholeApp } from '../../domain/target-app/observation.ts';
import { bytesOf } from './answer-bytes.ts';
import type { QueryTarget } from './query-targets.ts';
import type { EffectiveSpec } from './reader.ts';

const hashOf = (state: Json, unknown: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(state)).update(unknown.join('\n')).digest('base64url').slice(0, 12);

/** What is told with the first reading of a subject, whatever it says. */
const newcomer = ({ subject, name, startedAt, startupMs }: QueryTarget): Reading => ({
  subject,
  name,
  ...(startedAt !== undefined && { startedAt }),
  ...(startupMs !== undefined && { startupMs }),
});

/**
 * What is told of one answer; undefined when it is what was known.
 * @param known the fingerprint of what the workflow knows of the subject; undefined when it knows nothing
 * @param maxBytes of the selected state as JSON; a larger one is a failure
 */
function readingOf(
  question: QueryTarget,
  result: GraphqlResult,
  { plan, selected = {} }: EffectiveSpec,
  known: string | undefined,
  maxBytes: number,
): Reading | undefined {
  const who = known === undefined ? newcomer(question) : { subject: question.subject, name: question.name };
  const [knownHash, knownFailure] = (known ?? '').split('!');
  const failed = (failure: Failure): Reading | undefined =>
    knownFailure === failureKey(failure) ? undefined : { ...who, failure };
  if (!result.ok) return failed(result.failure);
  if ('same' in result) return undefined;
  const state = onlySelected(result.data, selected);
  const bytes = Buffer.byteLength(JSON.stringify(state));
  if (bytes > maxBytes) {
    const message = `the selected state has ${bytes} bytes, the limit is ${maxBytes}: select fewer fields in spec.stateQuery`;
    return failed(failureOf('TooLarge', message));
  }
  const unknown = result.unknown.filter((path) => unselected(selected, path) === undefined);
  const read = plan.rules.flatMap(({ trigger, stateRefs = [] }) => [
    ...(trigger.field === undefined ? [] : [trigger.field]),
    ...stateRefs,
  ]);
  const hash = hashOf(comparable(state, plan.ignoreFields, read), unknown);
  if (hash === knownHash && knownFailure === undefined) return undefined;
  const reading: Reading = { ...who, hash };
  if (hash !== knownHash) reading.state = state;
  if (unknown.length === 0) return reading;
  return { ...reading, unknown, ...(result.why !== undefined && { why: result.why }) };
}

/** All states of one TargetApp together: they travel through payloads that Temporal bounds at 2 MiB. */
const maxTotalStateBytes = 768 * 1024;

/** What was asked, and the answers in the same order. */
export interface Answered {
  questions: QueryTarget[];
  results: GraphqlResult[];
  /** Fingerprints of what the workflow knows, by subject. */
  known: ObserveInput['known'];
  /** Whether a pod is still there under that address. */
  isAt(uid: string, ip: string | undefined): boolean;
}

/** What is told of all answers that differ from what was known. */
export function readingsOf(answered: Answered, inForce: EffectiveSpec, maxStateBytes: number): Reading[] {
  const { questions, results, known, isAt } = answered;
  const maxBytes = Math.min(maxStateBytes, Math.floor(maxTotalStateBytes / Math.max(1, questions.length)));
  return results.flatMap((result, i) => {
    const question = questions[i];
    // A pod that was deleted (or whose address went on) while it was asked has not said anything.
    if (question === undefined || (question.subject !== wholeApp && !isAt(question.subject, question.ip))) return [];
    const before = known[question.subject];
    const reading = readingOf(question, result, inForce, before, maxBytes);
    // What was refused although it came whole is to be read again.
    if (result.ok && !('same' in result))
      bytesOf(inForce, question.subject).learn(reading === undefined ? before : reading.hash);
    return reading === undefined ? [] : [reading];
  });
}

/** What is told of a known pod that the watch lacks, while the API server does not say whether it is there. */
export const unconfirmed = (subject: string, known = ''): Reading[] => {
  const failure = failureOf('PodUnconfirmed', 'the API server does not say whether the pod is still there');
  return known.endsWith(`!${failureKey(failure)}`) ? [] : [{ subject, name: '', failure }];
};
