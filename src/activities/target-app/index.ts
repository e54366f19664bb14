import { CompleteAsyncError, Context } from '@temporalio/activity';
import type { ActionName } from '../../api/target-app/actions.ts';
import type { SpecDefaults } from '../../api/target-app/compile-spec.ts';
import type { Graphql } from '../../clients/graphql/client.ts';
import type { Subscriber } from '../../clients/graphql/subscription/subscriber.ts';
import type { Http } from '../../clients/http/http-client.ts';
import type { Kube } from '../../clients/kubernetes/client.ts';
import type { OpenTurns } from '../../clients/temporal/open-turns.ts';
import type { WorkflowRef } from '../../domain/refs.ts';
import type { ActionRequest, ActionResult } from '../../domain/target-app/action.ts';
import type { Observation, ObserveInput } from '../../domain/target-app/observation.ts';
import type { Log } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics/index.ts';
import type { Redact } from '../../telemetry/redactor.ts';
import type { HeldTurns } from '../held-turns.ts';
import type { Lookouts } from '../lookouts.ts';
import type { ObjectFinder } from '../object-finder.ts';
import type { Ownership } from '../ownership.ts';
import { createPlaces, type Places } from '../places.ts';
import type { Tell } from '../tell.ts';
import { withHeartbeat } from '../with-heartbeat.ts';
import { createActionActivity } from './action-activity.ts';
import type { Action } from './actions/action.ts';
import { createActions } from './actions/index.ts';
import { diff } from './diff.ts';
import { DuePolls } from './due-polls.ts';
import { AppLookout } from './lookout.ts';
import { createMissingPods } from './missing-pods.ts';
import { createObserve } from './observe.ts';
import type { WatchedPods } from './pod-index.ts';
import { createTargetAppReader, type TargetAppReader } from './reader.ts';
import { createSelectedPods } from './selected-pods.ts';
import { Subscriptions } from './subscriptions.ts';
import { isTurn, type TurnAsked } from './turn.ts';
import { createTurns, type Turns } from './turns.ts';
import type { WatchedApp } from './watched-app.ts';
import { Wheel } from './wheel.ts';

export interface TargetAppActivitiesOptions {
  clients: { kube: Kube; http: Http; graphql: Graphql; subscriber: Subscriber };
  finder: ObjectFinder<WatchedApp>;
  pods: WatchedPods;
  /** Calls the listener with each TargetApp that goes, on every replica: by its own watch. */
  whenGone(listener: (app: WatchedApp) => void): void;
  /** The same of each change. */
  whenChanged(listener: (app: WatchedApp) => void): void;
  /** Which TargetApps this replica looks after. */
  ownership: Ownership;
  /** Aborted when this process ends. */
  ending: AbortSignal;
  /** Told how a TargetApp is watched whose workflow is about to begin. */
  lookouts: Pick<Lookouts, 'offer'>;
  /** Told of which TargetApps a turn is held here. */
  heldTurns: HeldTurns;
  openTurns: OpenTurns;
  tell: Tell;
  /** Name of this process, as it stands in the status. */
  instance: string;
  /** Polls of turns under way at the same time, as long as they are answered at once; half of them at most of one namespace. */
  maxPolls: number;
  /** Subscriptions of apps that are kept at the same time. */
  maxSubscriptions: number;
  metrics: Metrics;
  log: Log;
  redact: Redact;
  defaults: SpecDefaults;
  enabledActions: readonly ActionName[];
  /** What `patch_resource` may patch, as `Kind` or `Kind.group`; absent: whatever RBAC allows. */
  patchKinds?: readonly string[];
  limits: { maxStateBytes: number };
  workflowUrl(workflow: WorkflowRef): string | undefined;
  /** Names of the search attributes that Temporal has; null: all, undefined: not known yet. */
  searchAttributes(): string[] | null | undefined;
}

/** Whoever answers does so in less: a poll that takes longer waits, and what is bounded is how many are asked at once. */
const answeredWithinMs = 50;
/** Polls of lookouts under way at the same time, as long as they are answered at once: they are not to hold up those of turns. */
const maxLooks = 32;

/** Lets an attempt go on after the activity's function has ended. */
async function begun(turns: Turns, input: TurnAsked): Promise<never> {
  const { taskToken, attempt, scheduledTimestampMs } = Context.current().info;
  turns.hold(input, taskToken, attempt > 1 ? Date.now() - scheduledTimestampMs : undefined);
  throw new CompleteAsyncError();
}

/** One activity for each action, by its YAML word. */
type ActionActivities = Record<ActionName, (request: ActionRequest) => Promise<ActionResult>>;

/** What observes: one poll, and the turns that are held here. */
function observersOf(options: TargetAppActivitiesOptions, apps: TargetAppReader) {
  const { clients, pods, ownership } = options;
  const { kube, graphql, subscriber } = clients;
  const subscriptions = new Subscriptions({ subscriber, maxSubscriptions: options.maxSubscriptions });
  const duePolls = new DuePolls();
  const changed = new Set<string>();
  options.whenGone(({ metadata }) => {
    apps.forget(metadata.uid);
    subscriptions.forget(metadata.uid);
    duePolls.forget(metadata.uid);
    changed.delete(metadata.uid);
  });
  options.metrics.readOverduePolls(() => duePolls.overdue(ownership.owns));
  const wheel = new Wheel();
  const shared = { ...options, apps, subscriptions, duePolls, wheel, changed };
  const unwatched = createMissingPods(kube);
  const observe = createObserve({ ...shared, pods, unwatched, graphql, attributes: options.searchAttributes });
  const placesFor = (count: number): Places =>
    createPlaces(count, { afterMs: answeredWithinMs, most: 100 * options.maxPolls });
  const looking = { ...shared, observe, places: placesFor(maxLooks), owns: ownership.owns };
  if (options.defaults.turnMs > 0)
    options.lookouts.offer('TargetApp', (app, onNews) => new AppLookout(app, onNews, looking));
  const turns = createTurns({ ...shared, observe, places: placesFor(options.maxPolls), ownership });
  options.whenChanged((app) => turns.changed(app));
  ownership.onChange((isHandedOver) => turns.letGo(isHandedOver));
  options.ending.addEventListener('abort', () => turns.end(), { once: true });
  return { observe, turns };
}

/** The activities that only a TargetApp's workflow calls. */
export function createTargetAppActivities(options: TargetAppActivitiesOptions) {
  const { clients, finder, pods, log, redact, workflowUrl } = options;
  const { kube, http } = clients;
  const apps = createTargetAppReader({ finder, defaults: options.defaults });
  const { observe, turns } = observersOf(options, apps);
  const selectedPods = createSelectedPods({ pods, kube });
  const enabled = new Set(options.enabledActions);
  const perform = createActionActivity({ apps, pods, selectedPods, enabled, workflowUrl, log, redact });
  const table = createActions({ kube, http, patchKinds: options.patchKinds });
  const actions = Object.values(table as Record<ActionName, Action<unknown>>).map((action) => [
    action.name,
    (request: ActionRequest) => withHeartbeat((signal) => perform(action, request, signal)),
  ]);
  return {
    diff,
    observe: (input: ObserveInput): Promise<Observation> =>
      isTurn(input) ? begun(turns, input) : withHeartbeat((signal, limitMs) => observe(input, signal, limitMs)),
    ...(Object.fromEntries(actions) as ActionActivities),
  };
}
