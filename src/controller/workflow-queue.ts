import type { ResourceWorkflow, WorkflowStarter } from '../clients/temporal/workflow-starter.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

/** What is to be done about one object. */
export interface Want {
  what: 'end' | 'ensure' | 'tell';
  workflow: ResourceWorkflow;
}

export interface WorkflowQueueOptions {
  starter: WorkflowStarter;
  metrics: Pick<Metrics, 'failed'>;
  log: Log;
}

/** Starts per second: a thousand objects at once are spread over a minute, and so are their first polls. */
const rate = { perSecond: 20, burst: 20 };
/** The stronger word wins where two wait: telling includes ensuring; and what has ended has ended. */
const strength = { ensure: 0, tell: 1, end: 2 };

/** Starts and signals workflows, by workflow id, until Temporal has taken it. */
export const createWorkflowQueue = ({ starter, metrics, log }: WorkflowQueueOptions): WorkQueue<Want> =>
  createWorkQueue<Want>({
    work: ({ what, workflow }) => {
      if (what === 'end') return starter.signal(workflow.workflowId);
      return what === 'tell' ? starter.signalWithStart(workflow) : starter.start(workflow);
    },
    merge: (waiting, added) => (strength[added.what] >= strength[waiting.what] ? added : waiting),
    onError: (error, key, retryMs) => {
      metrics.failed({ category: 'temporal' });
      log.warning('workflow signal failed, will retry', { workflow: key, retry_ms: retryMs, error });
    },
    concurrency: 8,
    rate,
  });
