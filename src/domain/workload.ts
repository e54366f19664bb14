import { inSeconds } from './seconds.ts';

/** A pod as far as a restart depends on it. Times are epoch milliseconds. */
export interface PodLife {
  uid: string;
  name: string;
  createdAt: number;
  /** When its containers came to run for the first time, as far as that is known; when it was created, until then. */
  startedAt: number;
  /** Whether its containers run at all; images may be pulled for minutes before. */
  running: boolean;
  ready: boolean;
  /** Whether it was Ready at any time since its creation. */
  wasReady: boolean;
  /** Since when it is Ready, or is not. */
  readySince: number;
  /** Neither finished nor being deleted. */
  alive: boolean;
  /** When it is to be gone; absent while nobody deletes it. */
  deletedAt?: number;
  /** How long its startupProbes give it; absent when it has none. */
  startupMs?: number;
}

/** What makes pods and replaces them, as it stands now. */
export interface Workload {
  /** E.g. `Deployment web`. */
  name: string;
  uid: string;
  /** How many pods it is to have; absent where its kind does not tell. */
  desired?: number;
  /** What is being done to all of its pods right now, in words that follow its name. */
  rollout?: string;
  /** Why a pod of it that is deleted would not come back, in words. */
  noReplacement?: string;
}

/** Why a pod is not restarted now. */
export interface Hold {
  reason: 'Rolling' | 'StartingUp';
  message: string;
  /** Milliseconds after which it may be asked again. */
  afterMs: number;
}

const defaultGraceMs = 300_000;
const longestLookMs = 30_000;
const rollingLookMs = 2_000;
/** Controllers and the scheduler need this long for a pod that has nothing to wait for. */
const leastPatienceMs = 10_000;

const seconds = (ms: number): string => inSeconds(Math.max(0, ms));

/**
 * How long a pod that was never Ready is given: what the rule says, else what its startupProbes allow, else five minutes.
 * What a startupProbe allows begins when the containers run.
 */
const graceOf = ({ running, startupMs }: PodLife, asked: number | undefined): number =>
  asked ?? (running ? (startupMs ?? defaultGraceMs) : Math.max(defaultGraceMs, startupMs ?? 0));

/** Milliseconds that a pod still has to become Ready for the first time; 0 for one that was Ready, or had its time. */
const startupLeft = (pod: PodLife, asked: number | undefined, now: number): number =>
  pod.ready || pod.wasReady ? 0 : Math.max(0, pod.startedAt + graceOf(pod, asked) - now);

const rolling = (message: string): Hold => ({ reason: 'Rolling', message, afterMs: rollingLookMs });

/** Pods that are missing, and who is on the way out. */
function missing({ name, desired = 0 }: Workload, pods: PodLife[]): string | undefined {
  const alive = pods.filter((pod) => pod.alive);
  if (alive.length >= desired) return undefined;
  const leaving = pods.filter(({ deletedAt }) => deletedAt !== undefined).map((pod) => pod.name);
  const words = leaving.length > 0 ? `; being deleted: ${listed(leaving)}` : '';
  return `${name} has ${alive.length} of ${desired} pods${words}`;
}

/** Names for people: not more than anybody reads. */
export const listed = (names: readonly string[]): string =>
  names.length > 10 ? `${names.slice(0, 10).join(', ')} and ${names.length - 10} more` : names.join(', ');

/** What a restart depends on. `pods` are all of the workload; `asked` is the rule's `startupGrace`. */
export interface RestartView {
  target: PodLife;
  /** Absent for a pod without one. */
  workload?: Workload;
  pods: PodLife[];
  asked?: number;
  now: number;
}

/**
 * Why the target is not to be restarted now: it is still starting up, or another pod of its workload is on its way. Pods
 * that were Ready and are not any more, or never were in all their time, are ill: they hold nothing back.
 */
export function holdOf({ target, workload, pods, asked, now }: RestartView): Hold | undefined {
  const leftMs = startupLeft(target, asked, now);
  if (leftMs > 0) {
    const message = `the pod ${target.name} was never Ready, and has ${seconds(leftMs)} left to start up`;
    return { reason: 'StartingUp', message, afterMs: Math.min(longestLookMs, leftMs) };
  }
  if (workload === undefined) return undefined;
  if (workload.rollout !== undefined) return rolling(`${workload.name} ${workload.rollout}`);
  const coming = pods.find((pod) => pod.uid !== target.uid && pod.alive && startupLeft(pod, asked, now) > 0);
  if (coming !== undefined)
    return rolling(
      `the pod ${coming.name} of ${workload.name} is on its way: not Ready ${seconds(now - coming.startedAt)} after its start`,
    );
  const gap = missing(workload, pods);
  if (gap !== undefined) return rolling(gap);
  const leaving = workload.desired === undefined && pods.find((pod) => isLeaving(pod, asked, now));
  return leaving ? rolling(`the pod ${leaving.name} of ${workload.name} is being deleted`) : undefined;
}

/** Creation times have whole seconds. */
const tellableMs = 2_000;

/** Pods that are replaced now could not be told by their creation from one that was created a moment ago. */
export function tooYoung(pods: PodLife[], now: number): Hold | undefined {
  const young = pods.find(({ createdAt }) => now - createdAt < tellableMs);
  return young && { ...rolling(`the pod ${young.name} has just been created`), afterMs: tellableMs };
}

/** Whether a pod that is being deleted may still be replaced; one on a lost node is not waited for without end. */
const isLeaving = ({ deletedAt }: PodLife, asked = defaultGraceMs, now: number): boolean =>
  deletedAt !== undefined && now < deletedAt + Math.max(leastPatienceMs, asked);

/** What is known of the restart before this one, by the same action. */
export interface Restarted {
  /** When the newest pod of the workload had been created, before any was restarted: what is younger is a replacement. */
  newest: number;
  /** Pods that the workload had, before any was restarted. */
  count: number;
  /** When the last one was restarted. */
  at: number;
}

/** Whether the replacements are there: `undefined` when they are; `stalled` when they had their time. */
export function unsettled(
  workload: Workload,
  pods: PodLife[],
  { newest, count, at }: Restarted,
  asked: number | undefined,
  now: number,
): { message: string; stalled: boolean } | undefined {
  const patience = (startupMs = 0): number => Math.max(leastPatienceMs, (asked ?? defaultGraceMs) + startupMs);
  const late = pods.find((pod) => pod.alive && !pod.ready && pod.createdAt > newest);
  if (late !== undefined) {
    const since = late.wasReady ? late.readySince : late.startedAt;
    const message = `the replacement ${late.name} of ${workload.name} is not Ready after ${seconds(now - since)}`;
    return { message, stalled: now - since >= patience(late.startupMs) };
  }
  const gap = missing({ ...workload, desired: workload.desired ?? count }, pods);
  if (gap === undefined) return undefined;
  const over = Math.max(at, ...pods.map(({ deletedAt }) => deletedAt ?? 0));
  return { message: gap, stalled: now - over >= patience() };
}
