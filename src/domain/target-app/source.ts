import type { FailureKind } from '../failure.ts';
import { type ConditionNow, condition } from '../status-conditions.ts';
import type { CompiledSpec } from './compiled-spec.ts';
import type { Memory, SubjectMemory } from './memory.ts';

/** What the status says of where the states come from. */
export interface Source {
  /** Whether whoever was asked answers, be it with an error. */
  reachable: ConditionNow;
  /** Whether the answers are states. */
  healthy: ConditionNow;
  /** Subjects whose state is known from the last poll. */
  observed: number;
  /** The sentences of what is wrong, the worst first. */
  troubles: ConditionNow[];
}

/** How many subjects failed at the last poll in a way that means the app's trouble. */
export const failedAs = ({ subjects }: Pick<Memory, 'subjects'>, kind: Exclude<FailureKind, 'unknown'>): number =>
  Object.values(subjects).filter(({ failure }) => failure?.kind === kind).length;

const sentences: Record<FailureKind, { status: ConditionNow['status']; says: string }> = {
  failing: { status: 'False', says: 'answer, but not with their state' },
  unknown: { status: 'Unknown', says: 'could not be asked' },
  unreachable: { status: 'False', says: 'do not answer' },
};

/** What is wrong with those that failed in one way; undefined when none did. */
function troubleOf(kind: FailureKind, all: SubjectMemory[]): ConditionNow | undefined {
  // A failure that an earlier version remembers has no kind; nothing is concluded from it until the next poll.
  const failed = all.filter(({ failure }) => failure !== undefined && (failure.kind ?? 'unknown') === kind);
  const [first] = failed;
  if (first?.failure === undefined) return undefined;
  const { status, says } = sentences[kind];
  const message = `${failed.length} of ${all.length} ${says}; ${first.name}: ${first.failure.message}`;
  return condition(status, first.failure.class, message);
}

/** What is to be said when all answer with their state, be it in part. */
function whole(all: SubjectMemory[]): ConditionNow {
  const message = `${all.length} of ${all.length} answer with their state`;
  const partly = all.filter(({ unknown = [] }) => unknown.length > 0);
  const [first] = partly;
  if (first === undefined) return condition('True', 'StateKnown', message);
  const { name, unknown = [], why = 'it came back as an error' } = first;
  const paths = `${unknown.slice(0, 3).join(', ')}${unknown.length > 3 ? ', …' : ''}`;
  return condition(
    'True',
    'PartlyKnown',
    `${message}, ${partly.length} in part; ${name}: ${paths} is not known: ${why}`,
  );
}

/** Why there is nobody to ask. */
function absent({ matched, podsUnknown }: Memory, { perPod }: CompiledSpec): ConditionNow {
  if (!perPod) return condition('Unknown', 'Initializing', 'not polled yet');
  if (podsUnknown !== undefined) return condition('Unknown', 'PodsUnknown', podsUnknown);
  if (matched === 0) return condition('False', 'NoMatchingPods', 'no pod of this namespace matches spec.selector');
  const message = `${matched} pods match spec.selector, none is Running with an address yet`;
  return condition('Unknown', 'PodsNotRunning', message);
}

/** What the status says of where the states come from. */
export function sourceOf(memory: Memory, spec: CompiledSpec): Source {
  const all = Object.values(memory.subjects);
  const observed = all.filter(({ failure }) => failure === undefined).length;
  if (all.length === 0) {
    const reachable = absent(memory, spec);
    return { reachable, healthy: { ...reachable, status: 'Unknown' }, observed, troubles: [reachable] };
  }
  const unreachable = troubleOf('unreachable', all);
  const failing = troubleOf('failing', all);
  const unknown = troubleOf('unknown', all);
  const silent = unreachable ?? unknown;
  return {
    reachable: silent ?? condition('True', 'Answering', `${all.length} of ${all.length} answer`),
    healthy: failing ?? (silent && { ...silent, status: 'Unknown' }) ?? whole(all),
    observed,
    troubles: [unreachable, failing, unknown].filter((trouble) => trouble !== undefined),
  };
}
