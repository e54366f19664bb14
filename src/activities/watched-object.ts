import type { KubeObject, ObjectMeta } from '../clients/kubernetes/types.ts';

/** What a watch cache keeps of an object of any kind. */
export interface WatchedObject {
  metadata: Pick<
    ObjectMeta,
    'annotations' | 'creationTimestamp' | 'deletionTimestamp' | 'finalizers' | 'name' | 'uid'
  > & {
    /** Empty for one that is cluster-scoped. */
    namespace: string;
    generation: number;
  };
  spec: unknown;
  /** `status.observedGeneration`; absent before the first report. */
  observedGeneration?: number;
}

/** Cuts an object down to what the operator needs of every kind. */
export function watchedObject(object: KubeObject): WatchedObject {
  const { metadata, spec, status } = object as KubeObject & {
    spec?: unknown;
    status?: { observedGeneration?: number };
  };
  const { uid, name, namespace = '', generation = 1, annotations, creationTimestamp } = metadata;
  const { deletionTimestamp, finalizers } = metadata;
  return {
    metadata: {
      uid,
      name,
      namespace,
      generation,
      annotations,
      creationTimestamp,
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(finalizers !== undefined && { finalizers }),
    },
    spec,
    // -1 is what the API server puts there before the first report.
    ...(Number(status?.observedGeneration) >= 0 && { observedGeneration: status?.observedGeneration }),
  };
}

/** Whether its deletion has begun: whoever has a finalizer on it may keep it for long. */
export const isTerminating = ({ metadata }: Pick<WatchedObject, 'metadata'>): boolean =>
  metadata.deletionTimestamp !== undefined;
