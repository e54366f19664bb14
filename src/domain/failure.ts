/**
 * What a failed observation says of the app. `unreachable`: it gave no usable answer. `failing`: it answered, and not
 * with a state. `unknown`: nothing, because the trouble is not the app's but the control plane's, KCO's own or one of its
 * limits or rules: nothing is concluded from it.
 */
export type FailureKind = 'failing' | 'unknown' | 'unreachable';

/** What each class of failure says of the app; of `HTTPStatus` the status may say otherwise. */
export const failureKinds = {
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

/** What makes two failures the same one, in few characters: never alike for two that say something else of the app. */
export const failureKey = ({ class: of, kind, about }: Failure): string =>
  [of, ...(kind === failureKinds[of] ? [] : [kind]), ...(about === undefined ? [] : [about])].join('/');
