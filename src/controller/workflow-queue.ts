import type { HeldTurns } from '../activities/held-turns.ts';
import type { Lookout } from '../activities/lookouts.ts';
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
      /** `begin`: its workflow is not there yet, as far as one can know. */
      what: 'begin' | 'changed' | 'ensure' | 'tell';
      workflow: ResourceWorkflow;
    }
  | { what: 'end'; workflow: Pick<ResourceWorkflow, 'workflowId'> }
);

export interface WorkflowQueueOptions {
  starter: WorkflowStarter;
  openTurns: Pick<OpenTurns, 'release'>;
  heldTurns: Pick<HeldTurns, 'expect' | 'forget' | 'has' | 'heldWithin' | 'missingFor'>;
  /** Watches an object until its workflow is there; undefined where that is not done. */
  postLookout(app: ObjectRef, onNews: () => void): Lookout | undefined;
  /** Whether this replica looks after the object of that uid. */
  owns(uid: string): boolean;
  metrics: Pick<Metrics, 'failed'>;
  log: Log;
}

/** Words per second: more would take the time of those that run already. */
const rate = { perSecond: 200, burst: 200 };
/** A workflow that has begun holds a turn by then, or something is in its way that is not to hold up others. */
const beginsWithinMs = 2_000;
/** The stronger word wins where two wait: telling includes ensuring; and what has ended has ended. */
const strength = { ensure: 0, changed: 1, begin: 2, tell: 3, end: 4 };
/** Those of one rank go before those of the next: news, then what is watched already though it has not begun, then what only may be missing. */
const ranks = { tell: 0, end: 0, changed: 0, begin: 1, ensure: 2 };

type Saying = Pick<WorkflowQueueOptions, 'heldTurns' | 'openTurns' | 'owns' | 'starter'>;

/** Says what is wanted; `later`: says it when that promise resolves. */
function saying(
  { starter, openTurns, heldTurns, owns }: Saying,
  beginnings: Beginnings,
  later: (want: Want, when: Promise<void>) => void,
): (want: Want) => Promise<void> {
  const begin = async (want: Extract<Want, { workflow: ResourceWorkflow }>): Promise<void> => {
    const { input } = want.workflow;
    // Whoever looks after it by now lets it begin.
    if (!owns(want.uid)) return beginnings.forget(want.uid);
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
    if (want.what === 'begin' || beginnings.has(want.uid)) return begin(want);
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
export function createWorkflowQueue(options: WorkflowQueueOptions): WorkQueue<Want> {
  const beginnings = new Beginnings(options.postLookout);
  const queue = createWorkQueue<Want>({
    work: saying(options, beginnings, (want, when) => void when.then(() => add(want.workflow.workflowId, want))),
    merge: (waiting, added) => (strength[added.what] >= strength[waiting.what] ? added : waiting),
    rankOf: ({ what }) => ranks[what],
    onError: (error, key, retryMs) => {
      options.metrics.failed({ category: 'temporal' });
      options.log.warning('workflow signal failed, will retry', { workflow: key, retry_ms: retryMs, error });
    },
    concurrency: 16,
    rate,
  });
  const add = (key: string, want: Want): void => {
    if (want.what === 'begin' && !options.heldTurns.has(want.uid))
      beginnings.watch(want.workflow.input.app, () => add(key, { ...want, what: 'tell' }));
    queue.add(key, want);
  };
  return {
    add,
    get size() {
      return queue.size;
    },
    stop: () => queue.stop(),
  };
}
