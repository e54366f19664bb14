import type { Json, JsonObject } from '../../domain/json.ts';
import type { KubeError } from './errors.ts';

/** How a resource type is reached; nothing in this adapter knows a kind by name beyond Kubernetes' own core ones. */
export interface ResourceRef {
  /** `v1` or `group/version`. */
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

/** Where an object is. `namespace` is absent for cluster-scoped types. */
export interface ObjectKey {
  namespace?: string;
  name: string;
}

/** `metadata.ownerReferences[]`. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
}

/** The part of `metadata` that KCO reads. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

/** Any object as the API server returns it. Items of a list come without `apiVersion` and `kind`. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** One page of a list. */
export interface KubeList<T> {
  items: T[];
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
}

/** Which objects a list or watch covers. */
export interface Scope {
  /** All namespaces when absent. */
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface ListOptions extends Scope {
  limit?: number;
  continue?: string;
  signal?: AbortSignal;
}

export interface WatchOptions extends Scope {
  /** Changes after this version are sent. */
  resourceVersion: string;
  /** The server ends the watch after this long. */
  timeoutSeconds: number;
  signal: AbortSignal;
}

export interface CallOptions {
  signal?: AbortSignal;
}

export interface ApplyStatusOptions extends CallOptions {
  /** Whether an object that was read says something newer than what is to be written, which then is not (`newer`). */
  isNewer?(stored: KubeObject): boolean;
}

export interface WriteOptions extends CallOptions {
  /** Send as a dry run: admission and RBAC answer, nothing is stored. */
  dryRun?: boolean;
}

export type PatchType = 'apply' | 'json' | 'merge' | 'strategic';

export interface Patch {
  type: PatchType;
  body: Json;
  /** Default `kco`. */
  fieldManager?: string;
  /** `apply` only: take fields over from other managers. */
  force?: boolean;
}

export interface PatchOptions extends WriteOptions {
  subresource?: 'scale' | 'status';
}

export interface DeleteOptions extends WriteOptions {
  /** Delete only the object of this uid. */
  uid?: string;
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** `gone`: no such object, or its name belongs to another uid. */
export type DeleteResult = 'deleted' | 'gone';

/** What an eviction came to. `blocked`: a PodDisruptionBudget does not allow it now. */
export type EvictResult =
  | { result: 'deleted' | 'gone' }
  | { result: 'blocked'; message: string; retryAfterMs: number | undefined };

/** The kinds whose `scale` subresource KCO uses (apps/v1). */
export type ScalableKind = 'Deployment' | 'StatefulSet';

export interface ScaleTarget {
  kind: ScalableKind;
  namespace: string;
  name: string;
}

/** What a `scale` subresource says. */
export interface Scale {
  /** `spec.replicas`. */
  replicas: number;
  /** Of the object that is scaled, which changes with its status, too. */
  resourceVersion: string;
}

/** A Kubernetes question about rights (`SelfSubjectAccessReview`). */
export interface Access {
  verb: string;
  /** `''` for the core group. */
  group: string;
  resource: string;
  subresource?: string;
  /** All namespaces when absent. */
  namespace?: string;
  name?: string;
}

export interface ExecRequest {
  namespace: string;
  pod: string;
  /** Absent: the pod's default container. */
  container?: string;
  /** argv; never a line for a shell. */
  command: string[];
  /** From the call to the end of the command, milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * How an exec ended.
 * - `neverSent`: the command did not start: the request did not leave, or was refused as the client's fault (4xx).
 * - `exited`: it ran, and this is its exit code.
 * - `error`: the session ended with an error in place of an exit code. That is so when the program does not exist, but
 *   also when the API server lost the node, and no field tells the two apart.
 * - `unknown`: the session was lost, timed out or was aborted after the request had left, so the command may have run,
 *   not run, or still be running.
 *
 * `output` is what arrived of stdout and stderr in order of arrival, at most 16 KiB, ending in a note when it was cut.
 */
export type ExecResult =
  | { result: 'neverSent'; error: KubeError }
  | { result: 'exited'; code: number; output: string }
  | { result: 'error'; reason: string; message: string; output: string }
  | { result: 'unknown'; reason: 'Aborted' | 'ConnectionLost' | 'Timeout'; message: string; output: string };

/** The Kubernetes API as KCO uses it. Every failure is a `KubeError`, unless a result type says otherwise. */
export interface Kube {
  /** URL of the API server, e.g. for the egress guard. */
  readonly server: string;

  /** The object, or undefined when there is none of that name. Throws with `resourceMissing` when its type is absent. */
  get<T extends KubeObject>(ref: ResourceRef, key: ObjectKey, options?: CallOptions): Promise<T | undefined>;
  /** One page. */
  list<T extends KubeObject>(ref: ResourceRef, options?: ListOptions): Promise<KubeList<T>>;
  /** Raw bytes of a watch, one JSON event per line; bookmarks are asked for. Prefer `createWatchCache`. */
  watch(ref: ResourceRef, options: WatchOptions): Promise<AsyncIterable<Uint8Array>>;

  create<T extends KubeObject>(ref: ResourceRef, body: JsonObject, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(ref: ResourceRef, key: ObjectKey, patch: Patch, options?: PatchOptions): Promise<T>;
  delete(ref: ResourceRef, key: ObjectKey, options?: DeleteOptions): Promise<DeleteResult>;

  /**
   * Server-side apply of the status subresource (field manager `kco`, forced). `body.metadata` carries name, namespace
   * and the uid, which is a precondition: `gone` when there is no such object or the name belongs to another one. One
   * request when nobody else changed the object since the last apply, three otherwise; a second conflict is thrown.
   */
  applyStatus(ref: ResourceRef, body: JsonObject, options?: ApplyStatusOptions): Promise<'applied' | 'gone' | 'newer'>;
  /** Server-side apply of a core/v1 Event; applying the same name again changes that Event, it never adds one. */
  applyEvent(event: JsonObject, options?: CallOptions): Promise<void>;

  deletePod(pod: { namespace: string; name: string }, options?: DeleteOptions): Promise<DeleteResult>;
  /** Through the Eviction API, so PodDisruptionBudgets are honoured. */
  evictPod(pod: { namespace: string; name: string }, options?: DeleteOptions): Promise<EvictResult>;
  /** The controller that stands behind a pod (Deployment rather than its ReplicaSet); undefined without one, or without the pod. */
  ownerOfPod(pod: { namespace: string; name: string }, options?: CallOptions): Promise<OwnerReference | undefined>;
  /** Undefined when there is no such object. */
  getScale(target: ScaleTarget, options?: CallOptions): Promise<Scale | undefined>;
  /** Sets `spec.replicas` of the version that was read, and of no other: else a 409. The value that was stored. */
  setScale(target: ScaleTarget, scale: Scale, options?: WriteOptions): Promise<number>;
  exec(request: ExecRequest): Promise<ExecResult>;

  /** Whether this client (or whom it acts as) may do this. */
  canI(access: Access, options?: CallOptions): Promise<{ allowed: boolean; reason: string }>;
  /** The user name that the API server knows this client (or whom it acts as) by. */
  whoAmI(options?: CallOptions): Promise<string>;
  /** The type of this kind by discovery (remembered for ten minutes), or undefined when the server has none. */
  discover(apiVersion: string, kind: string, options?: CallOptions): Promise<ResourceRef | undefined>;
  /** Whether the type is served, i.e. its CRD is there and established. */
  isServed(ref: ResourceRef, options?: CallOptions): Promise<boolean>;
  /** `gitVersion` of the API server. */
  version(options?: CallOptions): Promise<string>;
  /** Resolves when the API server says that it is ready; throws otherwise. */
  ready(options?: CallOptions): Promise<void>;

  /** The same connection acting as this user (`system:serviceaccount:<namespace>:<name>`), by impersonation. */
  as(user: string): Kube;
  close(): Promise<void>;
}

export interface KubeOptions {
  /** Path of a kubeconfig. Absent: KUBECONFIG, ~/.kube/config, or the pod's ServiceAccount, as kubectl does. */
  kubeconfig?: string;
  /** Version of KCO for the `User-Agent` (`kco/<version>`). */
  version?: string;
  /** Milliseconds for the headers, and between two parts of the body, of an answer. Default 30,000; not for watches. */
  timeoutMs?: number;
}
