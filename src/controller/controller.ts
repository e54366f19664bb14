import { isHeld } from '../activities/finalizer.ts';
import { isTerminating, type WatchedObject } from '../activities/watched-object.ts';
import type { WatchEventType } from '../clients/kubernetes/informer/informer.ts';
import type { Registration } from './registration.ts';
import { createWorkflowQueue, type Want, type WorkflowQueueOptions } from './workflow-queue.ts';

export interface ControllerOptions<T extends WatchedObject> extends WorkflowQueueOptions {
  registration: Registration<T>;
  /** All objects that there are. */
  all(): T[];
  /** Whether this replica looks after the object of that uid. */
  owns(uid: string): boolean;
}

/** Turns what a watch tells about one kind into workflows that run and look again. */
export interface Controller<T extends WatchedObject> {
  onChange(event: WatchEventType, object: T, previous?: T): void;
  /** Signals an object's workflow: something that it looks at has changed. */
  reconcile(object: T): void;
  /** Makes sure again of every object's workflow. `running`: ids of those that run; undefined when nobody can say. */
  resync(running: ReadonlySet<string> | undefined): void;
  /** Makes sure of the turns that have not come back for long. */
  seekTurns(): void;
  /**
   * This replica may look after others than before. It goes through those that have come: what nobody told in the meantime is
   * seen by the version that a workflow reported.
   */
  takeOver(): void;
  /** Objects that wait for Temporal. */
  readonly pending: number;
  stop(): Promise<void>;
}

/** What an object's workflow is to do, by what was seen of the object. */
function wantsOf<T extends WatchedObject>({ ref, isUnobserved }: Registration<T>) {
  // One that waits for KCO's own finalizer needs its workflow to the end.
  const isOver = (object: T): boolean => isTerminating(object) && !isHeld(object, ref);
  return {
    ofChanged: (object: T) => (isOver(object) ? 'end' : 'changed'),
    ofPresent: (object: T) => (isOver(object) ? 'end' : 'ensure'),
    /** Nobody knows what its workflow was told so far. */
    ofUnknown: (object: T) => {
      if (isOver(object)) return 'end';
      return isTerminating(object) || isUnobserved(object) ? 'tell' : 'ensure';
    },
  } satisfies Record<string, (object: T) => Want['what']>;
}

/** A workflow needs far less from one turn to the next. */
const turnsMissedMs = 30_000;

export function createController<T extends WatchedObject>(options: ControllerOptions<T>): Controller<T> {
  const { registration, all, owns, heldTurns } = options;
  const queue = createWorkflowQueue(options);
  const { ofPresent, ofUnknown, ofChanged } = wantsOf(registration);
  const isMine = ({ metadata }: T): boolean => owns(metadata.uid);
  const want = (what: Want['what'], object: T): void => {
    const workflow = registration.workflowOf(object);
    queue.add(workflow.workflowId, { what, uid: object.metadata.uid, workflow });
  };
  /** Uids of the objects that it looked after when that was said last. */
  let mine = new Set<string>();

  return {
    onChange: (event, object, previous) => {
      if (!isMine(object)) return;
      if (event === 'deleted') want('end', object);
      else if (event === 'added' || previous === undefined) want(ofUnknown(object), object);
      else if (registration.needsReconcile(object, previous)) want(ofChanged(object), object);
    },
    reconcile: (object) => {
      if (isMine(object)) want(ofChanged(object) === 'end' ? 'end' : 'tell', object);
    },
    resync: (running) => {
      for (const object of all().filter(isMine)) {
        const isRunning = running?.has(registration.workflowOf(object).workflowId) ?? true;
        // A turn of a workflow that is not there any more is held for nobody.
        want(isRunning || isTerminating(object) ? ofPresent(object) : 'tell', object);
      }
    },
    seekTurns: () => {
      const missing = new Set(heldTurns.missingFor(turnsMissedMs));
      if (missing.size === 0) return;
      const objects = all().filter(({ metadata }) => missing.has(metadata.uid));
      for (const uid of missing) heldTurns.forget(uid);
      for (const object of objects.filter(isMine)) want(ofPresent(object), object);
    },
    takeOver: () => {
      const before = mine;
      const objects = all().filter(isMine);
      mine = new Set(objects.map(({ metadata }) => metadata.uid));
      for (const object of objects) if (!before.has(object.metadata.uid)) want(ofUnknown(object), object);
    },
    get pending() {
      return queue.size;
    },
    stop: queue.stop,
  };
}
