import type { ActionName } from '../api/actions.ts';
import { kinds } from '../api/kinds.ts';
import type { PlanDefaults } from '../api/plan-of.ts';
import { refOf } from '../api/resource-ref.ts';
import type { Graphql } from '../clients/graphql.ts';
import type { Http } from '../clients/http.ts';
import type { Kube } from '../clients/kube.ts';
import type { Log } from '../clients/log.ts';
import type { Metrics } from '../clients/metrics.ts';
import type { WatchCache } from '../clients/watch-cache.ts';
import type { ActionRequest, ActionResult } from '../domain/action.ts';
import type { EventRecord } from '../domain/events.ts';
import type { JsonObject } from '../domain/json.ts';
import type { AppRef, ObserveInput, StatusReport } from '../domain/observation.ts';
import type { WorkflowRef } from '../domain/status.ts';
import type { Action } from './actions/action.ts';
import { createActions } from './actions/index.ts';
import { createApps, type WatchedApp } from './apps.ts';
import { attempt } from './attempt.ts';
import { diff } from './diff.ts';
import { createObserve } from './observe.ts';
import { createPerform } from './perform.ts';
import type { PodView } from './pod-view.ts';
import { createRecordEvents } from './record-events.ts';
import { createReportStatus } from './report-status.ts';
import { createSelectedPods } from './selected-pods.ts';
import { createShare } from './share.ts';
import { createUnwatchedPods } from './unwatched-pods.ts';

/** What activities are made of. */
export interface ActivityOptions {
  clients: { kube: Kube; http: Http; graphql: Graphql };
  caches: { apps: WatchCache<WatchedApp>; pods: WatchCache<PodView> };
  /** Calls the listener with each TargetApp that goes, on every replica: by its own watch. */
  whenGone(listener: (app: WatchedApp) => void): void;
  telemetry: { metrics: Metrics; log: Log };
  settings: {
    /** Namespaces whose TargetApps are looked after; empty: all. What a workflow asks for elsewhere is not done. */
    namespaces: readonly string[];
    defaults: PlanDefaults;
    enabledActions: readonly ActionName[];
    /** What `patch_resource` may patch, as `Kind` or `Kind.group`; absent: whatever RBAC allows. */
    patchKinds?: readonly string[];
    limits: { maxStateBytes: number };
    /** How many of them run at the same time. */
    slots: Record<'events' | 'reports', number>;
    /** Name of this process, as it stands in Events. */
    instance: string;
    workflowUrl(workflow: WorkflowRef): string | undefined;
    /** Names of the search attributes that Temporal has; null: all, undefined: not known yet. */
    searchAttributes(): string[] | null | undefined;
  };
}

/** One activity for each action, by its YAML word. */
type ActionActivities = Record<ActionName, (request: ActionRequest) => Promise<ActionResult>>;

/** All activities of the worker, by the names under which they stand in a history. */
export function createActivities({ clients, caches, whenGone, telemetry, settings }: ActivityOptions) {
  const { kube, http, graphql } = clients;
  const { metrics, log } = telemetry;
  const { namespaces, defaults, workflowUrl, instance, limits } = settings;
  const ref = refOf(kinds.TargetApp);
  const apps = createApps({ cache: caches.apps, kube, ref, namespaces, defaults });
  whenGone(({ metadata }) => apps.forget(metadata.uid));
  const unwatched = createUnwatchedPods(kube);
  const { searchAttributes: attributes } = settings;
  const observe = createObserve({ apps, pods: caches.pods, unwatched, graphql, metrics, log, limits, attributes });
  const perform = createPerform({
    apps,
    pods: caches.pods,
    selectedPods: createSelectedPods({ pods: caches.pods, kube }),
    enabled: new Set(settings.enabledActions),
    workflowUrl,
    log,
  });
  const recordEvents = createRecordEvents({ kube, ref, metrics, log, instance });
  const reportStatus = createReportStatus({ kube, ref, metrics, log, workflowUrl });
  const shares = { events: createShare(settings.slots.events), reports: createShare(settings.slots.reports) };
  const acting =
    (action: Action<unknown>) =>
    (request: ActionRequest): Promise<ActionResult> =>
      attempt((signal) => perform(action, request, signal));
  const table = createActions({ kube, http, patchKinds: settings.patchKinds });
  const actions = Object.values(table as Record<ActionName, Action<unknown>>);
  return {
    diff,
    observe: (input: ObserveInput) => attempt((signal, limitMs) => observe(input, signal, limitMs)),
    recordEvents: (app: AppRef, records: EventRecord[]) =>
      shares.events(app.namespace, () =>
        attempt((signal, limitMs, nth) => recordEvents(app, records, { signal, limitMs, attempt: nth })),
      ),
    reportStatus: (report: StatusReport<JsonObject>) =>
      shares.reports(report.app.namespace, () => attempt((signal, limitMs) => reportStatus(report, signal, limitMs))),
    ...(Object.fromEntries(actions.map((action) => [action.name, acting(action)])) as ActionActivities),
  };
}

/** What workflows may call. */
export type Activities = ReturnType<typeof createActivities>;
