import type { KubeObject, ResourceRef } from '../clients/kubernetes/types.ts';
import type { ResourceWorkflow } from '../clients/temporal/workflow-starter.ts';
import type { ExportedFields } from '../telemetry/metrics/exported-fields.ts';

/** How the controller serves one kind: which changes of an object are worth a word, and to whom. */
export interface Registration<T> {
  /** How its objects are reached. */
  ref: ResourceRef;
  /** What is kept of an object in the watch cache. */
  transform(object: KubeObject): T;
  namespaceOf(object: T): string;
  nameOf(object: T): string;
  /** Whether a change is one of what the workflow reads; a status that KCO wrote itself is not. */
  needsReconcile(object: T, previous: T): boolean;
  /** Whether the workflow may not know this version yet, though no change was seen (the controller was away). */
  isUnobserved(object: T): boolean;
  /** Whether its deletion has begun, which is all that a workflow needs to know: it ends, and none is started. */
  isTerminating(object: T): boolean;
  workflowOf(object: T): ResourceWorkflow;
  /** What it exports of the state that it watches; absent where the kind has nothing of the sort. */
  exportedOf?(object: T): ExportedFields | undefined;
}
