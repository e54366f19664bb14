import { finalizerOf } from '../activities/finalizer.ts';
import { isTerminating, type WatchedObject } from '../activities/watched-object.ts';
import type { WatchEventType } from '../clients/kubernetes/informer/informer.ts';
import type { ResourceWorkflow, WorkflowStarter } from '../clients/temporal/workflow-starter.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import type { Registration } from './registration.ts';
import { createWorkQueue } from './work-queue.ts';

/** What is to be done about one object. */
interface Want {
  what: 'end' | 'ensure' | 'tell';
  workflow: ResourceWorkflow;
}

export interface ControllerOptions<T extends WatchedObject> {
  registration: Registration<T>;
  starter: WorkflowStarter;
  metrics: Pick<Metrics, 'failed'>;
  log: Log;
  /** All objects that there are, for a resync. */
  all(): T[];
}

/** Turns what a watch tells about one kind into workflows that run and look again. */
export interface Controller<T extends WatchedObject> {
  onChange(event: WatchEventType, object: T, previous?: T): void;
  /** Signals an object's workflow: something that it looks at has changed. */
  reconcile(object: T): void;
  /** Makes sure again that every object has its workflow. */
  resync(): void;
  /**
   * Whether this replica is the one that tells Temporal. Taking over, it goes through all objects: what nobody told in
   * the meantime is seen by the version that a workflow reported.
   */
  setLeading(leading: boolean): void;
  /** Whether this replica is that one now. */
  readonly isLeading: boolean;
  /** Objects that wait for Temporal. */
  readonly pending: number;
  stop(): Promise<void>;
}

/** Starts per second: a thousand objects at once are spread over a minute, and so are their first polls. */
const rate = { perSecond: 20, burst: 20 };
/** The stronger word wins where two wait: telling includes ensuring; and what has ended has ended. */
const strength = { ensure: 0, tell: 1, end: 2 };

export function createController<T extends WatchedObject>({
  registration,
  starter,
  metrics,
  log,
  all,
}: ControllerOptions<T>): Controller<T> {
  const queue = createWorkQueue<Want>({
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
  const want = (what: Want['what'], object: T): void => {
    const workflow = registration.workflowOf(object);
    queue.add(workflow.workflowId, { what, workflow });
  };
  const finalizer = finalizerOf(registration.ref);
  // One that waits for KCO's own finalizer needs its workflow to the end.
  const isOver = (object: T): boolean => isTerminating(object) && !object.metadata.finalizers?.includes(finalizer);
  const reconcile = (object: T): void => want(isOver(object) ? 'end' : 'tell', object);
  const ensure = (object: T): void => {
    if (isOver(object)) want('end', object);
    else want(isTerminating(object) || registration.isUnobserved(object) ? 'tell' : 'ensure', object);
  };

  let isLeading = false;

  return {
    onChange: (event, object, previous) => {
      if (!isLeading) return;
      if (event === 'deleted') want('end', object);
      else if (event === 'added' || previous === undefined) ensure(object);
      else if (registration.needsReconcile(object, previous)) reconcile(object);
    },
    reconcile: (object) => {
      if (isLeading) reconcile(object);
    },
    resync: () => {
      if (isLeading) for (const object of all()) want(isOver(object) ? 'end' : 'ensure', object);
    },
    setLeading: (leading) => {
      isLeading = leading;
      if (leading) for (const object of all()) ensure(object);
    },
    get isLeading() {
      return isLeading;
    },
    get pending() {
      return queue.size;
    },
    stop: queue.stop,
  };
}
