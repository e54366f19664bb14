import type { HeldTurns } from '../activities/held-turns.ts';
import type { OpenTurns } from '../clients/temporal/open-turns.ts';
import type { ResourceWorkflow, WorkflowStarter } from '../clients/temporal/workflow-starter.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

/** What is to be done about one object. */
export type Want = { uid: string } & (
  | { what: 'changed' | 'ensure' | 'tell'; workflow: ResourceWorkflow }
  | { what: 'end'; workflow: Pick<ResourceWorkflow, 'workflowId'> }
);

export interface WorkflowQueueOptions {
  starter: WorkflowStarter;
  openTurns: Pick<OpenTurns, 'release'>;
  heldTurns: Pick<HeldTurns, 'expect' | 'forget' | 'has' | 'missingFor'>;
  metrics: Pick<Metrics, 'failed'>;
  log: Log;
}

/** Words per second: more would take the time of those that run already. */
const rate = { perSecond: 200, burst: 200 };
/** The stronger word wins where two wait: telling includes ensuring; and what has ended has ended. */
const strength = { ensure: 0, changed: 1, tell: 2, end: 3 };

/** Says what is wanted. */
function saying({ starter, openTurns, heldTurns }: WorkflowQueueOptions): (want: Want) => Promise<void> {
  return async (want) => {
    const { workflowId } = want.workflow;
    if (want.what === 'end') return starter.signal(workflowId);
    if (want.what === 'tell') return starter.signalWithStart(want.workflow);
    // Its turn is held here, and sees by the watch what has changed.
    if (heldTurns.has(want.uid)) return;
    if (want.what === 'changed') return starter.signalWithStart(want.workflow);
    // A turn that somebody else has left open comes here by that, and its workflow need not even be told.
    if (await openTurns.release({ workflowId })) heldTurns.expect(want.uid);
    else await starter.start(want.workflow);
  };
}

/** Starts and signals workflows, by workflow id, until Temporal has taken it. What is new goes before what is made sure of. */
export const createWorkflowQueue = (options: WorkflowQueueOptions): WorkQueue<Want> =>
  createWorkQueue<Want>({
    work: saying(options),
    merge: (waiting, added) => (strength[added.what] >= strength[waiting.what] ? added : waiting),
    isUrgent: ({ what }) => what !== 'ensure',
    onError: (error, key, retryMs) => {
      options.metrics.failed({ category: 'temporal' });
      options.log.warning('workflow signal failed, will retry', { workflow: key, retry_ms: retryMs, error });
    },
    concurrency: 16,
    rate,
  });
