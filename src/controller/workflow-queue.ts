import type { HeldTurns } from '../activities/held-turns.ts';
import type { OpenTurns } from '../clients/temporal/open-turns.ts';
import type { ResourceWorkflow, WorkflowStarter } from '../clients/temporal/workflow-starter.ts';
import type { ObjectRef } from '../domain/refs.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import { Beginnings } from './beginnings.ts';
import { createWorkQueue, type WorkQueue } from './work-queue.ts';

/** What is to be done about one object. */
export type Want = { uid: string } & (
  | {
      what: 'changed' | 'ensure' | 'tell';
      workflow: ResourceWorkflow;
      /** Its workflow is not there yet, as far as one can know. */
      isNew?: true;
    }
  | { what: 'end'; workflow: Pick<ResourceWorkflow, 'workflowId'> }
);

export interface WorkflowQueueOptions {
  starter: WorkflowStarter;
  openTurns: Pick<OpenTurns, 'release'>;
  heldTurns: Pick<HeldTurns, 'expect' | 'forget' | 'has' | 'heldWithin' | 'missingFor'>;
  /** Looks at an object as the first observation of its workflow would; undefined where it does not. */
  look(app: ObjectRef): Promise<object | undefined>;
  metrics: Pick<Metrics, 'failed'>;
  log: Log;
}

/** Words per second: more would take the time of those that run already. */
const rate = { perSecond: 200, burst: 200 };
/** A workflow that has begun holds a turn by then, or something is in its way that is not to hold up others. */
const beginsWithinMs = 2_000;
/** The stronger word wins where two wait: telling includes ensuring; and what has ended has ended. */
const strength = { ensure: 0, changed: 1, tell: 2, end: 3 };

type Saying = Pick<WorkflowQueueOptions, 'heldTurns' | 'look' | 'openTurns' | 'starter'>;

/** Says what is wanted; `later`: says it when that promise resolves. */
function saying(
  { starter, openTurns, heldTurns, look }: Saying,
  later: (want: Want, when: Promise<void>) => void,
): (want: Want) => Promise<void> {
  const beginnings = new Beginnings(look);

  const begin = async (want: Extract<Want, { workflow: ResourceWorkflow }>): Promise<void> => {
    const { input } = want.workflow;
    const first = await beginnings.of(input.app);
    if ('later' in first) return later(want, first.later);
    await starter.signalWithStart({ ...want.workflow, input: { ...input, ...first } });
    beginnings.forget(want.uid);
    // As many begin at once as there are places here: Temporal would take many more, and those that run would wait for them.
    if (first.seen !== undefined) await heldTurns.heldWithin(want.uid, beginsWithinMs);
  };

  return async (want) => {
    const { workflowId } = want.workflow;
    if (want.what === 'end') {
      beginnings.forget(want.uid);
      return starter.signal(workflowId);
    }
    if (want.what === 'tell') return want.isNew ? begin(want) : starter.signalWithStart(want.workflow);
    // Its turn is held here, and sees by the watch what has changed.
    if (heldTurns.has(want.uid)) return;
    if (want.what === 'changed') return starter.signalWithStart(want.workflow);
    // A turn that somebody else has left open comes here by that, and its workflow need not even be told.
    if (await openTurns.release({ workflowId })) heldTurns.expect(want.uid);
    else await starter.start(want.workflow);
  };
}

/** Starts and signals workflows, by workflow id, until Temporal has taken it. What is new goes before what is made sure of. */
export function createWorkflowQueue(options: WorkflowQueueOptions): WorkQueue<Want> {
  const queue = createWorkQueue<Want>({
    work: saying(options, (want, when) => void when.then(() => queue.add(want.workflow.workflowId, want))),
    merge: (waiting, added) => (strength[added.what] >= strength[waiting.what] ? added : waiting),
    isUrgent: ({ what }) => what !== 'ensure',
    onError: (error, key, retryMs) => {
      options.metrics.failed({ category: 'temporal' });
      options.log.warning('workflow signal failed, will retry', { workflow: key, retry_ms: retryMs, error });
    },
    concurrency: 16,
    rate,
  });
  return queue;
}
