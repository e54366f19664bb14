import type { Kube, KubeObject } from '../clients/kubernetes/client.ts';
import { isPermanent } from '../clients/kubernetes/is-permanent.ts';
import type { JsonObject } from '../domain/json.ts';
import type { StatusReport, WorkflowRef } from '../domain/refs.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import type { Redact } from '../telemetry/redactor.ts';
import type { KindAccess } from './kind-access.ts';

export interface ReportStatusOptions {
  kube: Pick<Kube, 'applyStatus'>;
  kindAccess(kind: string): KindAccess;
  metrics: Pick<Metrics, 'failed'>;
  log: Log;
  redact: Redact;
  /** The page of a workflow in the Temporal Web UI; undefined when its address is not known. */
  workflowUrl(workflow: WorkflowRef): string | undefined;
}

/** What became of a status. */
export interface Reported {
  /** The object is not there any more, or is another one. */
  gone: boolean;
  /** Why the API server refuses it for good. */
  refused?: string;
}

/** Writes one status, within so many milliseconds. */
export type ReportStatus = (
  report: StatusReport<JsonObject>,
  signal: AbortSignal,
  limitMs: number,
) => Promise<Reported>;

/** Far longer than an attempt that was given up may live on. What is newer by more is of a clock that has been set back. */
const believedMs = 10 * 60_000;

/** Whether what is stored was said after this. */
const isNewerThan =
  ({ revision }: JsonObject) =>
  (stored: KubeObject & { status?: { revision?: number } }): boolean => {
    const ahead = (stored.status?.revision ?? 0) - Number(revision);
    return ahead > 0 && ahead < believedMs;
  };

/**
 * Writes a status by server-side apply. An attempt that is late leaves what a later one has written, and ends when its
 * time is over, so that it is never late by much. A status that the API server refuses for good (a CRD of another version,
 * say) is logged and let go: it must not hold up the rest.
 */
export const createReportStatus =
  ({ kube, kindAccess, metrics, log, redact, workflowUrl }: ReportStatusOptions): ReportStatus =>
  async ({ kind: kindName, app, status }, signal, limitMs) => {
    const { ref, column } = kindAccess(kindName);
    const { apiVersion, kind } = ref;
    const workflow = status.workflow as unknown as WorkflowRef;
    const url = workflowUrl(workflow);
    const shown = url === undefined ? status : { ...status, workflow: { ...workflow, url } };
    const { namespace, name, uid } = app;
    try {
      const result = await kube.applyStatus(
        ref,
        { apiVersion, kind, metadata: { namespace, name, uid }, status: redact(shown) },
        { signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]), isNewer: isNewerThan(status) },
      );
      return { gone: result === 'gone' };
    } catch (error) {
      if (!isPermanent(error)) throw error;
      metrics.failed({ category: 'status' });
      log.error('status rejected', { namespace, [column]: name, error });
      return { gone: false, refused: error.message };
    }
  };
