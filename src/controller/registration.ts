import { isTerminating, type WatchedObject, watchedObject } from '../activities/watched-object.ts';
import type { Kind } from '../api/crd/crd.ts';
import { ownedRefOf, refOf } from '../api/resource-ref.ts';
import { workflowIdOf } from '../api/workflow-id.ts';
import type { KubeObject, ResourceRef } from '../clients/kubernetes/types.ts';
import type { ResourceWorkflow } from '../clients/temporal/workflow-starter.ts';
import { attributesOf, standingOf } from '../workflows/search-attributes.ts';

/** How the controller serves one kind: which changes of an object its workflow is signalled, and which workflow that is. */
export interface Registration<T extends WatchedObject> {
  /** How its objects are reached. */
  ref: ResourceRef;
  /** Types of which its objects own some: a change of one is a change of its owner. */
  owns: readonly ResourceRef[];
  /** What is kept of an object in the watch cache. */
  transform(object: KubeObject): T;
  /** Whether a change is one of what the workflow reads; a status that KCO wrote itself is not. */
  needsReconcile(object: T, previous: T): boolean;
  /** Whether the workflow may not know this version yet, though no change was seen (the controller was away). */
  isUnobserved(object: T): boolean;
  workflowOf(object: T): ResourceWorkflow;
  /** The uid of the object whose workflow has that id; undefined where it is none of this kind. */
  uidIn(workflowId: string): string | undefined;
}

const workflowOf =
  (kind: Kind) =>
  ({ metadata: { namespace, name, uid } }: WatchedObject): ResourceWorkflow => {
    const app = { namespace, name, uid };
    return {
      type: kind.kind.charAt(0).toLowerCase() + kind.kind.slice(1),
      workflowId: workflowIdOf(kind, app),
      input: { app },
      summary: `${kind.kind} **${kind.scope === 'Namespaced' ? `${namespace}/${name}` : name}**`,
      attributes: [...standingOf('Initializing', false), ...attributesOf(kind.kind, app)],
    };
  };

/**
 * The registration of a kind whose workflow reads the spec and nothing else: the generation tells whether it has changed. The
 * workflow type has the kind's name with a small first letter. A kind with more to it replaces what is special.
 */
export const registrationOf = (kind: Kind): Registration<WatchedObject> => ({
  ref: refOf(kind),
  owns: (kind.owns ?? []).map(ownedRefOf),
  transform: watchedObject,
  needsReconcile: (object, before) =>
    object.metadata.generation !== before.metadata.generation || isTerminating(object) !== isTerminating(before),
  isUnobserved: (object) => object.observedGeneration !== object.metadata.generation,
  workflowOf: workflowOf(kind),
  uidIn: (workflowId) => {
    const [singular, ...names] = workflowId.split('/');
    return singular === kind.singular ? names.at(-1) : undefined;
  },
});
