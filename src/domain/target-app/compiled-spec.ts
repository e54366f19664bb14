import type { Json } from '../json.ts';
import type { SpecProblem } from '../spec-problem.ts';

/** How many of the watched pods must satisfy a trigger; `each` means that the rule lives once per pod. */
export type Quorum = 'each' | 'any' | 'all' | { percent: number } | { count: number };

/** When a rule fires: a field triple, or the lack of a state (`failing`, `noPods`, `unreachable`). */
export interface Trigger {
  /** Dotted path into the state (`a.b`, `a[0].b`, `a[*].b`); absent for the lack of a state. */
  field?: string;
  /** A name in the table of conditions. */
  condition: string;
  /** What the field is compared with; absent for conditions that take none. */
  value?: Json;
  /** Text that is a decimal number counts as that number. */
  as?: 'number';
}

/** How one action is run: its limits, and what it may be done at the same time with. */
export interface CompiledAction {
  /** The YAML word of the action, e.g. `restart_pod`. */
  action: string;
  /** Digest of the rule's question and of the action's parameters: what the TargetApp no longer says is not done. */
  content: string;
  /** Start-to-close limit of one attempt of the action. */
  timeoutMs: number;
  /** Further attempts after the first, where the action may be repeated at all. */
  retries: number;
  /** Whether a second attempt after a lost first one is allowed (false: at most once). */
  repeatable: boolean;
  /** Whether it acts on the pods that made it fire: such actions on one pod never run at once. */
  onPods: boolean;
  /** State paths that the templates of this action mention: only their values travel to it. */
  stateRefs?: string[];
  /** Digest of a webhook's URL: what goes to one receiver arrives in the order in which it was decided. */
  receiver?: string;
  /** How long a webhook that its receiver does not take is tried again. */
  deliverForMs?: number;
  /** Repetitions back off, and no two of them run at once: restarts of one workload. */
  paced?: true;
  /** How long a pod that was never up is given to start before it may be restarted; absent: what its startup probe allows, else 5 min. */
  startupGraceMs?: number;
}

/** One rule of `spec.actions`, with defaults filled in and durations in milliseconds. */
export interface CompiledRule extends CompiledAction {
  /** Unique in its TargetApp. */
  name: string;
  /** Identity of the rule's memory: given at first sight, and kept while the rule asks the same under whatever name or position. */
  key: string;
  /** Digest of when it fires for what: action, trigger and pods. */
  question: string;
  trigger: Trigger;
  pods: Quorum;
  /** How long a level condition must hold before it fires. */
  forMs: number;
  /** Shortest time between two firings for one subject. */
  cooldownMs: number;
  /** Fire again this long after the last firing while the episode lasts. */
  repeatMs?: number;
  maxFirings?: { max: number; perMs: number };
  dryRun: boolean;
  /** What is done when an episode that fired is over, in this order. */
  onRecovery?: CompiledAction[];
}

/** One entry of `spec.events`: a transition that is worth an Event. */
export interface CompiledTransition {
  field: string;
  from?: Json;
  to?: Json;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/**
 * What the workflow needs to know of a TargetApp: everything that decides, nothing that acts.
 * Parameters, headers and queries stay in the custom resource, so they never enter a history.
 */
export interface CompiledSpec {
  /** Changes whenever anything below changes; also across versions and configurations of KCO. */
  digest: string;
  generation: number;
  /** Where the state is read, for people. */
  endpoint: string;
  /** Changes whenever the question changes (endpoint, port, scheme, query, variables): old answers are then no baseline. */
  source: string;
  /** Changes whenever the subscription changes, or where it is; absent: there is none. */
  subscription?: string;
  /** Whether each matching pod is asked (a path) or the app as a whole (a URL). */
  perPod: boolean;
  intervalMs: number;
  /** Deadline of one query, for the timeout of the observing activity. */
  timeoutMs: number;
  /** How many subjects are asked at the same time; with the deadline it bounds a look. */
  queriesAtOnce: number;
  /** How long a turn of many polls lasts at most; absent: every poll is a turn of its own, and stands in the history. */
  turnMs?: number;
  /** How often a status that says nothing new is written. */
  heartbeatMs: number;
  suspend: boolean;
  /** Epoch milliseconds. */
  suspendUntil?: number;
  dryRun: boolean;
  onUnknown: 'keep' | 'reset';
  ignoreFields: string[];
  events: CompiledTransition[];
  rules: CompiledRule[];
  /** Not empty: nothing is polled until the spec is mended. */
  problems: SpecProblem[];
}
