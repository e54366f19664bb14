import { isHeld } from '../activities/finalizer.ts';
import { isTerminating, type WatchedObject } from '../activities/watched-object.ts';
import type { WatchEventType } from '../clients/kubernetes/informer/informer.ts';
import type { Registration } from './registration.ts';
import { createWorkflowQueue, type Want, type WorkflowQueueOptions } from './workflow-queue.ts';

export interface ControllerOptions<T extends WatchedObject> extends WorkflowQueueOptions {
  registration: Registration<T>;
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

/** What an object's workflow is to do, by what was seen of the object. */
function wantsOf<T extends WatchedObject>({ ref, isUnobserved }: Registration<T>) {
  // One that waits for KCO's own finalizer needs its workflow to the end.
  const isOver = (object: T): boolean => isTerminating(object) && !isHeld(object, ref);
  return {
    ofChanged: (object: T) => (isOver(object) ? 'end' : 'tell'),
    ofPresent: (object: T) => (isOver(object) ? 'end' : 'ensure'),
    /** Nobody knows what its workflow was told so far. */
    ofUnknown: (object: T) => {
      if (isOver(object)) return 'end';
      return isTerminating(object) || isUnobserved(object) ? 'tell' : 'ensure';
    },
  } satisfies Record<string, (object: T) => Want['what']>;
}

export function createController<T extends WatchedObject>(options: ControllerOptions<T>): Controller<T> {
  const { registration, all } = options;
  const queue = createWorkflowQueue(options);
  const { ofPresent, ofUnknown, ofChanged } = wantsOf(registration);
  const want = (what: Want['what'], object: T): void => {
    const workflow = registration.workflowOf(object);
    queue.add(workflow.workflowId, { what, workflow });
  };
  let isLeading = false;

  return {
    onChange: (event, object, previous) => {
      if (!isLeading) return;
      if (event === 'deleted') want('end', object);
      else if (event === 'added' || previous === undefined) want(ofUnknown(object), object);
      else if (registration.needsReconcile(object, previous)) want(ofChanged(object), object);
    },
    reconcile: (object) => {
      if (isLeading) want(ofChanged(object), object);
    },
    resync: () => {
      if (isLeading) for (const object of all()) want(ofPresent(object), object);
    },
    setLeading: (leading) => {
      isLeading = leading;
      if (leading) for (const object of all()) want(ofUnknown(object), object);
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
