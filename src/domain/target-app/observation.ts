import type { Json } from '../json.ts';
import type { Plan } from './compiled-spec.ts';

/**
 * What a failed observation says of the app. `unreachable`: it gave no usable answer. `failing`: it answered, and not
 * with a state. `unknown`: nothing, because the trouble is not the app's but the control plane's, KCO's own or one of its
 * limits or rules: nothing is concluded from it.
 */
export type FailureKind = 'failing' | 'unknown' | 'unreachable';

/** What each class of failure says of the app; of `HTTPStatus` the status may say otherwise. */
const failureKinds = {
  ConnectFailed: 'unreachable',
  DNSUnavailable: 'unknown',
  EgressDenied: 'unknown',
  ForbiddenKey: 'failing',
  GraphQLError: 'failing',
  HTTPStatus: 'failing',
  InvalidJSON: 'failing',
  InvalidRequest: 'unknown',
  NoMatchingPods: 'unknown',
  NotAGraphQLResponse: 'failing',
  NotHTTP: 'failing',
  NotJSON: 'failing',
  OperatorTrouble: 'unknown',
  PartialData: 'failing',
  PodUnconfirmed: 'unknown',
  PortNotDeclared: 'unknown',
  RedirectRefused: 'failing',
  TLSVerifyFailed: 'unreachable',
  Throttled: 'unknown',
  Timeout: 'unreachable',
  TooDeep: 'failing',
  TooLarge: 'failing',
  UnsafeNumber: 'failing',
} as const satisfies Record<string, FailureKind>;

/** Why a subject could not be observed: metric label and Event reason alike. A closed list. */
export type FailureClass = keyof typeof failureKinds;
export const failureClasses = Object.keys(failureKinds) as FailureClass[];

/** An observation that did not give a state. */
export interface Failure {
  class: FailureClass;
  kind: FailureKind;
  /** One sentence for people; sanitised, capped, without secrets or bodies. */
  message: string;
  /** What tells one failure from another of its class, e.g. a status: short, and the same however the message varies. */
  about?: string;
}

/** A failure of a class, of the kind that the class means unless `more` says otherwise. */
export const failureOf = (
  failureClass: FailureClass,
  message: string,
  more: Partial<Pick<Failure, 'about' | 'kind'>> = {},
): Failure => ({ class: failureClass, kind: failureKinds[failureClass], message, ...more });

/** What makes two failures the same one, in few characters. */
export const failureKey = ({ class: of, about }: Failure): string => (about === undefined ? of : `${of}/${about}`);

/** The key of what a state belongs to: a pod's uid, or this for an app that is polled as a whole. */
export const wholeApp = 'app';

/** What one poll learnt about one subject, when it differs from what the workflow knew. */
export interface Reading {
  /** Pod uid, or `wholeApp`. */
  subject: string;
  /** Pod name, or the TargetApp's name; empty for a known pod whose name cannot be asked for. */
  name: string;
  /** Hash of the state that was observed; absent on failure. */
  hash?: string;
  /** The state, only when its hash differs from the one told. */
  state?: Json;
  failure?: Failure;
  /** Paths that came back with a GraphQL error, or as numbers that cannot be compared: their values are unknown, not null. */
  unknown?: string[];
  /** What is the matter with them, one sentence. */
  why?: string;
  /** Told with the first reading of a pod: when its app was started, epoch milliseconds. */
  startedAt?: number;
  /** The same: how long its startup probes allow it to take, in milliseconds; absent without one. */
  startupMs?: number;
}

/** What has fired, as mirrored in `status.rules[]`: the memory of a workflow whose database was lost. */
export interface EpisodeMirror {
  rule: string;
  /** The rule's `question` and `content`, with a hyphen between them: the mirror is believed for that rule only. */
  digest: string;
  subject: string;
  /** Epoch milliseconds of the episode's opening; also its id. */
  since: number;
  /** Epoch milliseconds of the last firing; absent when it has not fired. */
  firedAt?: number;
  /** It fired as a dry run only. */
  dry?: true;
  /** The action that had not ended yet. */
  pending?: string;
}

/** The answer of one poll: only what differs from what was told. `{matched: n}` is an unchanged poll. */
export interface Observation {
  /** How many pods the selector matches now. */
  matched: number;
  /** No pod that the selector matches runs; only of an app whose pods are asked. */
  nothingRuns?: true;
  /** Why it cannot be said which pods there are; absent when it can. `matched` is then what was known. */
  podsUnknown?: string;
  /** The TargetApp is gone, or its name belongs to another uid. */
  deleted?: true;
  /**
   * Nobody was asked: because the TargetApp is stopped, or because the look was given too little time for this plan and
   * number of pods, which are told, so that the next look (at once) is given enough.
   */
  unasked?: 'again' | 'stopped';
  /** The plan, when its digest is not the one told. */
  plan?: Plan;
  /** Given to a workflow that knew no plan: what an earlier life of it had fired. */
  mirror?: EpisodeMirror[];
  /** Subjects whose state or failure differs from what was told. */
  readings?: Reading[];
  /** Subjects told that no longer exist. */
  gone?: string[];
  /** The value of `kco.local/poll-requested-at`, when it is not the one told. */
  pollRequested?: string;
  /** Names of the search attributes that Temporal has, when they are not those told; null: all. */
  attributes?: string[] | null;
}

/** Which custom resource: its name may come back, its uid never does. */
export interface AppRef {
  namespace: string;
  name: string;
  uid: string;
}

/** What a poll is told: references and hashes, nothing that the worker's own cache knows. */
export interface ObserveInput {
  app: AppRef;
  /** Epoch milliseconds at which this poll was due: the measure of its lag. */
  due: number;
  /** Digest of the plan that the workflow has; absent when it has none. */
  plan?: string;
  /** Fingerprint of each known subject (`fingerprintOf`). */
  known: Record<string, string>;
  /** Look at the object only, ask no pod. */
  held?: true;
  /** Something was said to have changed: this worker's watch may be behind, so read the object itself. */
  fresh?: true;
  /** The value of the poll-requested annotation that was answered last. */
  pollRequested?: string;
  /** Names of the search attributes that Temporal has, as far as the workflow knows; absent: all. */
  attributes?: string[];
}

/** A status to write, and whose it is. */
export interface StatusReport<Status> {
  app: AppRef;
  status: Status;
}
