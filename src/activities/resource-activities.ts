import { Context } from '@temporalio/activity';
import type { Kube } from '../clients/kubernetes/client.ts';
import type { OpenTurns } from '../clients/temporal/open-turns.ts';
import type { EventRecord } from '../domain/events.ts';
import type { JsonObject } from '../domain/json.ts';
import type { ReadInput } from '../domain/object-seen.ts';
import type { ObjectRef, StatusReport, WorkflowRef } from '../domain/refs.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import type { Redact } from '../telemetry/redactor.ts';
import { createSetFinalizer } from './finalizer.ts';
import { kindAccess } from './kind-access.ts';
import type { ObjectFinder } from './object-finder.ts';
import { createApplyOwned, type WantedObject } from './owned-objects.ts';
import { createReadObject } from './read-object.ts';
import type { RecordEvents } from './record-events.ts';
import type { ReportStatus } from './report-status.ts';
import { createShare } from './share.ts';
import type { WatchedObject } from './watched-object.ts';
import { withHeartbeat } from './with-heartbeat.ts';

export interface ResourceActivitiesOptions {
  kube: Kube;
  finderOf(kind: string): ObjectFinder<WatchedObject>;
  metrics: Metrics;
  log: Log;
  redact: Redact;
  openTurns: OpenTurns;
  recordEvents: RecordEvents;
  reportStatus: ReportStatus;
  /** How many of them run at the same time. */
  slots: Record<'events' | 'reports', number>;
  /** Name of this process, as it stands in Events. */
  instance: string;
  workflowUrl(workflow: WorkflowRef): string | undefined;
  /** Names of the search attributes that Temporal has; null: all, undefined: not known yet. */
  searchAttributes(): string[] | null | undefined;
}

function thisWorkflow(): { workflowId: string } {
  const { workflowExecution } = Context.current().info;
  if (workflowExecution === undefined) throw new TypeError('no workflow has called this');
  return { workflowId: workflowExecution.workflowId };
}

/** The activities of every kind's workflow, which tells them its kind. */
export function createResourceActivities(options: ResourceActivitiesOptions) {
  const { kube, slots, recordEvents, reportStatus } = options;
  const readObject = createReadObject(options.finderOf, options.searchAttributes);
  const applyOwned = createApplyOwned(kube);
  const setFinalizer = createSetFinalizer(kube);
  const shares = { events: createShare(slots.events), reports: createShare(slots.reports) };
  return {
    /** Ends the turn that the workflow has open, with nothing seen; whether there was one. */
    endTurn: () => options.openTurns.complete(thisWorkflow(), null),
    readObject: (input: ReadInput) => withHeartbeat(() => readObject(input)),
    applyOwned: (kind: string, app: ObjectRef, wanted: WantedObject) =>
      withHeartbeat((signal) => applyOwned({ ...kindAccess(kind), app }, wanted, signal)),
    setFinalizer: (kind: string, app: ObjectRef, isWanted: boolean) =>
      withHeartbeat((signal) => setFinalizer(kindAccess(kind).ref, app, isWanted, signal)),
    recordEvents: (kind: string, app: ObjectRef, records: EventRecord[]) =>
      shares.events(app.namespace, () =>
        withHeartbeat((signal, limitMs, nth) => recordEvents(kind, app, records, { signal, limitMs, attempt: nth })),
      ),
    reportStatus: (report: StatusReport<JsonObject>) =>
      shares.reports(report.app.namespace, () =>
        withHeartbeat((signal, limitMs) => reportStatus(report, signal, limitMs)),
      ),
  };
}
