import { isHeld } from '../activities/finalizer.ts';
import { isTerminating, type WatchedObject } from '../activities/watched-object.ts';
import type { WatchEventType } from '../clients/kubernetes/informer/informer.ts';
import type { Registration } from './registration.ts';
import type { WorkQueue } from './work-queue.ts';
import { createWorkflowQueue, type Want, type WorkflowQueueOptions } from './workflow-queue.ts';

export interface ControllerOptions<T extends WatchedObject> extends WorkflowQueueOptions {
  registration: Registration<T>;
  /** All objects that there are. */
  all(): T[];
}

/** Turns what a watch tells about one kind into workflows that run and look again. */
export interface Controller<T extends WatchedObject> {
  onChange(event: WatchEventType, object: T, previous?: T): void;
  /** Signals an object's workflow: something that it looks at has changed. */
  reconcile(object: T): void;
  /** Makes sure again of every object's workflow. `running`: ids of those that run; undefined when nobody can say. */
  resync(running: ReadonlySet<string> | undefined): void;
  /** Ends the workflows of objects that are gone, or not watched any more: they went while nobody was there to see it. */
  endOrphans(running: ReadonlySet<string>): void;
  /** Makes sure of the turns that have not come back for long. */
  seekTurns(): void;
  /**
   * This replica may look after others than before. It goes through those that have come: what nobody told in the meantime is
   * seen by the version that a workflow reported. The turns of those that are handed over come by themselves; it asks for the others.
   */
  takeOver(isHandedOver: boolean): void;
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
    /** Something that it owns has changed, which no watch of its own tells it. */
    ofOwner: (object: T) => (isOver(object) ? 'end' : 'tell'),
    ofPresent: (object: T) => (isOver(object) ? 'end' : 'ensure'),
    /** Nobody knows what its workflow was told so far. */
    ofUnknown: (object: T) => {
      if (isOver(object)) return 'end';
      if (isTerminating(object)) return 'tell';
      // The workflow of one that has never reported anything is hardly there.
      if (object.observedGeneration === undefined) return 'begin';
      return isUnobserved(object) ? 'tell' : 'ensure';
    },
  } satisfies Record<string, (object: T) => Want['what']>;
}

/** A workflow needs far less from one turn to the next. */
const turnsMissedMs = 10_000;
/** Whoever hands over many lets go of the last one by then. */
const handedOverWithinMs = 15_000;

/** The objects of one kind that this replica looks after, and what is wanted of their workflows. */
class KindWords<T extends WatchedObject> implements Controller<T> {
  readonly #options: ControllerOptions<T>;
  readonly #queue: WorkQueue<Want>;
  readonly #wants: ReturnType<typeof wantsOf<T>>;
  /** Uids of the objects that it looked after when that was said last. */
  #mine = new Set<string>();

  constructor(options: ControllerOptions<T>) {
    this.#options = options;
    this.#queue = createWorkflowQueue(options);
    this.#wants = wantsOf(options.registration);
  }

  onChange(event: WatchEventType, object: T, previous?: T): void {
    if (!this.#isMine(object)) return;
    if (event === 'deleted') this.#want('end', object);
    else if (event === 'added' || previous === undefined) this.#want(this.#wants.ofUnknown(object), object);
    else if (this.#options.registration.needsReconcile(object, previous))
      this.#want(this.#wants.ofChanged(object), object);
  }

  reconcile(object: T): void {
    if (this.#isMine(object)) this.#want(this.#wants.ofOwner(object), object);
  }

  resync(running: ReadonlySet<string> | undefined): void {
    for (const object of this.#owned()) {
      const isRunning = running?.has(this.#options.registration.workflowOf(object).workflowId) ?? true;
      // A turn of a workflow that is not there any more is held for nobody.
      if (isRunning || isTerminating(object)) this.#want(this.#wants.ofPresent(object), object);
      else this.#want('begin', object);
    }
  }

  endOrphans(running: ReadonlySet<string>): void {
    const { all, owns, registration } = this.#options;
    const present = new Set(all().map((object) => registration.workflowOf(object).workflowId));
    for (const workflowId of running) {
      const uid = registration.uidIn(workflowId);
      if (uid === undefined || present.has(workflowId) || !owns(uid)) continue;
      this.#queue.add(workflowId, { what: 'end', uid, workflow: { workflowId } });
    }
  }

  seekTurns(): void {
    const { heldTurns } = this.#options;
    const missing = new Set(heldTurns.missingFor(turnsMissedMs));
    if (missing.size === 0) return;
    for (const object of this.#owned())
      if (missing.has(object.metadata.uid)) this.#want(this.#wants.ofPresent(object), object);
    for (const uid of missing) heldTurns.forget(uid);
  }

  takeOver(isHandedOver: boolean): void {
    const { heldTurns } = this.#options;
    const before = this.#mine;
    const objects = this.#owned();
    this.#mine = new Set(objects.map(({ metadata }) => metadata.uid));
    for (const object of objects) {
      const { uid } = object.metadata;
      // Who was to hand one over may be the one that has died.
      if (before.has(uid) && (isHandedOver || heldTurns.has(uid))) continue;
      const what = this.#wants.ofUnknown(object);
      if (what === 'ensure' && isHandedOver) heldTurns.expect(uid, handedOverWithinMs);
      else this.#want(what, object);
    }
  }

  get pending(): number {
    return this.#queue.size;
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  #isMine({ metadata }: T): boolean {
    return this.#options.owns(metadata.uid);
  }

  #owned(): T[] {
    return this.#options.all().filter((object) => this.#isMine(object));
  }

  #want(what: Want['what'], object: T): void {
    const workflow = this.#options.registration.workflowOf(object);
    this.#queue.add(workflow.workflowId, { what, uid: object.metadata.uid, workflow });
  }
}

export const createController = <T extends WatchedObject>(options: ControllerOptions<T>): Controller<T> =>
  new KindWords(options);
