import type { Kind } from '../api/crd/crd.ts';
import { type KindName, kinds } from '../api/kinds.ts';
import { refOf } from '../api/resource-ref.ts';
import type { ActionName } from '../api/target-app/actions.ts';
import type { SpecDefaults } from '../api/target-app/compile-spec.ts';
import type { Graphql } from '../clients/graphql/client.ts';
import type { Http } from '../clients/http/http-client.ts';
import type { Kube, ResourceRef } from '../clients/kubernetes/client.ts';
import type { Informer } from '../clients/kubernetes/informer/informer.ts';
import type { EventRecord } from '../domain/events.ts';
import { type JsonObject, own } from '../domain/json.ts';
import type { ObjectRef, StatusReport, WorkflowRef } from '../domain/refs.ts';
import type { ActionRequest, ActionResult } from '../domain/target-app/action.ts';
import type { ObserveInput } from '../domain/target-app/observation.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/operator.ts';
import { createRecordEvents } from './record-events.ts';
import { createReportStatus } from './report-status.ts';
import { createShare } from './share.ts';
import { createActionActivity } from './target-app/action-activity.ts';
import type { Action } from './target-app/actions/action.ts';
import { createActions } from './target-app/actions/index.ts';
import { diff } from './target-app/diff.ts';
import { createMissingPods } from './target-app/missing-pods.ts';
import { createObserve } from './target-app/observe.ts';
import type { PodView } from './target-app/pod-view.ts';
import { createTargetAppReader, type WatchedApp } from './target-app/reader.ts';
import { createSelectedPods } from './target-app/selected-pods.ts';
import { withHeartbeat } from './with-heartbeat.ts';

/** What activities are made of. */
export interface ActivityOptions {
  clients: { kube: Kube; http: Http; graphql: Graphql };
  caches: { apps: Informer<WatchedApp>; pods: Informer<PodView> };
  /** Calls the listener with each TargetApp that goes, on every replica: by its own watch. */
  whenGone(listener: (app: WatchedApp) => void): void;
  telemetry: { metrics: Metrics; log: Log };
  settings: {
    /** Namespaces whose TargetApps are looked after; empty: all. What a workflow asks for elsewhere is not done. */
    namespaces: readonly string[];
    defaults: SpecDefaults;
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

/** How objects of a kind are reached; a kind that a history names and this version lacks is a fault. */
function refOfKind(kind: string): ResourceRef {
  const known = own<Kind>(kinds, kind);
  if (known === undefined) throw new TypeError(`no kind is called ${kind}`);
  return refOf(known);
}

/** All activities of the worker, by the names under which they stand in a history. */
export function createActivities({ clients, caches, whenGone, telemetry, settings }: ActivityOptions) {
  const { kube, http, graphql } = clients;
  const { metrics, log } = telemetry;
  const { namespaces, defaults, workflowUrl, instance, limits } = settings;
  const ref = refOf(kinds.TargetApp);
  const apps = createTargetAppReader({ cache: caches.apps, kube, ref, namespaces, defaults });
  whenGone(({ metadata }) => apps.forget(metadata.uid));
  const unwatched = createMissingPods(kube);
  const { searchAttributes: attributes } = settings;
  const observe = createObserve({ apps, pods: caches.pods, unwatched, graphql, metrics, log, limits, attributes });
  const perform = createActionActivity({
    apps,
    pods: caches.pods,
    selectedPods: createSelectedPods({ pods: caches.pods, kube }),
    enabled: new Set(settings.enabledActions),
    workflowUrl,
    log,
  });
  const recordEvents = createRecordEvents({ kube, refOf: refOfKind, metrics, log, instance });
  const reportStatus = createReportStatus({ kube, refOf: refOfKind, metrics, log, workflowUrl });
  const shares = { events: createShare(settings.slots.events), reports: createShare(settings.slots.reports) };
  const acting =
    (action: Action<unknown>) =>
    (request: ActionRequest): Promise<ActionResult> =>
      withHeartbeat((signal) => perform(action, request, signal));
  const table = createActions({ kube, http, patchKinds: settings.patchKinds });
  const actions = Object.values(table as Record<ActionName, Action<unknown>>);
  return {
    diff,
    observe: (input: ObserveInput) => withHeartbeat((signal, limitMs) => observe(input, signal, limitMs)),
    recordEvents: (kind: KindName, app: ObjectRef, records: EventRecord[]) =>
      shares.events(app.namespace, () =>
        withHeartbeat((signal, limitMs, nth) => recordEvents(kind, app, records, { signal, limitMs, attempt: nth })),
      ),
    reportStatus: (report: StatusReport<JsonObject>) =>
      shares.reports(report.app.namespace, () =>
        withHeartbeat((signal, limitMs) => reportStatus(report, signal, limitMs)),
      ),
    ...(Object.fromEntries(actions.map((action) => [action.name, acting(action)])) as ActionActivities),
  };
}

/** What workflows may call. */
export type Activities = ReturnType<typeof createActivities>;
