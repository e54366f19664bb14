import type { Kube, ResourceRef } from '../clients/kube.ts';
import type { Log } from '../clients/log.ts';
import type { Metrics } from '../clients/metrics.ts';
import type { JsonObject } from '../domain/json.ts';
import type { StatusReport } from '../domain/observation.ts';
import type { WorkflowRef } from '../domain/status.ts';
import { isFinal } from './is-final.ts';

export interface ReportStatusOptions {
  kube: Pick<Kube, 'applyStatus'>;
  /** The kind whose status it is. */
  ref: ResourceRef;
  metrics: Pick<Metrics, 'failed'>;
  log: Log;
  /** The page of a workflow in the Temporal Web UI; undefined when its address is not known. */
  workflowUrl(workflow: WorkflowRef): string | undefined;
}

/**
 * Writes a status by server-side apply; `gone` when the object is not there any more, or is another one. A status that
 * the API server refuses for good (a CRD of another version, say) is logged and let go: it must not hold up the rest.
 */
export const createReportStatus =
  ({ kube, ref, metrics, log, workflowUrl }: ReportStatusOptions) =>
  async ({ app, status }: StatusReport<JsonObject>): Promise<{ gone: boolean }> => {
    const { apiVersion, kind } = ref;
    const workflow = status.workflow as unknown as WorkflowRef;
    const url = workflowUrl(workflow);
    const shown = url === undefined ? status : { ...status, workflow: { ...workflow, url } };
    const { namespace, name, uid } = app;
    try {
      const result = await kube.applyStatus(ref, {
        apiVersion,
        kind,
        metadata: { namespace, name, uid },
        status: shown,
      });
      return { gone: result === 'gone' };
    } catch (error) {
      if (!isFinal(error)) throw error;
      metrics.failed({ category: 'status' });
      log.error('status refused', { namespace, tapp: name, error });
      return { gone: false };
    }
  };
