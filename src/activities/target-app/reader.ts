import { compileSpec, type SpecDefaults } from '../../api/target-app/compile-spec.ts';
import { checkQuery, type Selected } from '../../api/target-app/query.ts';
import { TargetAppSpec } from '../../api/target-app/schema.ts';
import type { Informer } from '../../clients/kubernetes/informer/informer.ts';
import type { Kube, KubeObject, ObjectMeta, ResourceRef } from '../../clients/kubernetes/types.ts';
import type { ObjectRef } from '../../domain/refs.ts';
import type { CompiledSpec } from '../../domain/target-app/compiled-spec.ts';
import type { FiredEpisode } from '../../domain/target-app/observation.ts';
import type { ExportedFields } from '../../telemetry/metrics/exported-fields.ts';
import { type ExportingApp, exportedFields } from './exported-fields.ts';

/** What KCO keeps of a TargetApp in its watch cache. */
export interface WatchedApp {
  metadata: Pick<ObjectMeta, 'uid' | 'name' | 'annotations' | 'creationTimestamp' | 'deletionTimestamp'> & {
    namespace: string;
    generation: number;
  };
  spec: unknown;
  /** `status.observedGeneration`; absent before the first report. */
  observedGeneration?: number;
  /** `status.pollRequestedAt`: the poll that was asked for and answered last. */
  pollRequestedAt?: string;
  /** `status.rules[].episodes`, flattened. */
  mirror: FiredEpisode[];
  /** What of `status.state` is exported as metrics; absent where nothing is. */
  exported?: ExportedFields;
}

interface StatusPart {
  observedGeneration?: number;
  pollRequestedAt?: string;
  rules?: { name: string; digest?: string; episodes?: Omit<FiredEpisode, 'digest' | 'rule'>[] }[];
}

/** Cuts a TargetApp down to what is needed of it. */
export function watchedApp(object: KubeObject): WatchedApp {
  const { metadata, spec, status } = object as KubeObject & ExportingApp & { status?: StatusPart };
  const { uid, name, annotations, creationTimestamp, deletionTimestamp } = metadata;
  const mirror = (status?.rules ?? []).flatMap(({ name: rule, digest = '', episodes = [] }) =>
    episodes.map((episode) => ({ rule, digest, ...episode })),
  );
  const exported = exportedFields({ spec, status });
  return {
    metadata: {
      uid,
      name,
      annotations,
      creationTimestamp,
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      namespace: metadata.namespace ?? '',
      generation: metadata.generation ?? 1,
    },
    spec,
    mirror,
    // -1 is what the API server puts there before the first report.
    ...(Number(status?.observedGeneration) >= 0 && { observedGeneration: status?.observedGeneration }),
    ...(status?.pollRequestedAt !== undefined && { pollRequestedAt: status.pollRequestedAt }),
    ...(exported !== undefined && { exported }),
  };
}

/** The annotation that asks for a poll; any new value does. */
const pollRequestedAt = 'kco.local/poll-requested-at';
/** As long as the status takes it. */
const maxRequestLength = 256;

/** The poll that is asked for: a text that is another one at each asking. */
export const pollRequestOf = ({ metadata }: WatchedApp): string | undefined =>
  metadata.annotations?.[pollRequestedAt]?.slice(0, maxRequestLength);

/** Whether its deletion has begun: whoever has a finalizer on it may keep it for long, and nobody wants it any more. */
export const isEnding = ({ metadata }: WatchedApp): boolean => metadata.deletionTimestamp !== undefined;

/** A spec as it is in force: parsed once per generation. */
export interface EffectiveSpec {
  generation: number;
  plan: CompiledSpec;
  /** Absent when the spec cannot be understood; the plan says why. */
  spec?: TargetAppSpec;
  /** What its query selects; absent when the query cannot be asked. */
  selected?: Selected;
}

/** What the query of a spec selects. */
function selectedBy({ stateQuery, variables }: TargetAppSpec): Selected | undefined {
  const query = checkQuery(stateQuery, variables);
  return 'selected' in query ? query.selected : undefined;
}

/** TargetApps as the activities need them. */
export interface TargetAppReader {
  /**
   * The object of that uid, or undefined when it is gone or being deleted. A cache that does not know it, or that is behind the generation
   * that somebody has seen already (`atLeast`; infinity: always), is not believed without a GET. One of a namespace that
   * is not watched is gone, without asking: its workflow dates from a time when it was, and is to end.
   */
  find(app: ObjectRef, atLeast?: number): Promise<WatchedApp | undefined>;
  /** Parsed and planned; remembered with the generation before it, for an action that is under way during an edit. */
  effectiveSpec(app: WatchedApp): EffectiveSpec;
  /**
   * The specs of an object that is there: the present one, and the one before it as far as it is remembered. Undefined
   * when the object is gone, or the reference names another one.
   */
  present(app: ObjectRef, atLeast: number): Promise<{ now: EffectiveSpec; before?: EffectiveSpec } | undefined>;
  /** Whether the watch has it, and not as one that is being deleted: what is not is nothing to be remembered or counted. */
  isKept(app: ObjectRef): boolean;
  /** Forgets what is remembered of a TargetApp that is gone. */
  forget(uid: string): void;
  /** Of how many something is remembered. */
  readonly size: number;
}

export interface TargetAppReaderOptions {
  cache: Pick<Informer<WatchedApp>, 'get'>;
  kube: Pick<Kube, 'get'>;
  ref: ResourceRef;
  /** Namespaces whose TargetApps are looked after; empty: all. */
  namespaces: readonly string[];
  defaults: SpecDefaults;
}

/** Fits into what a look may take beside its queries; and who hangs has to give the slot to others. */
const patienceMs = 5_000;

export function createTargetAppReader({
  cache,
  kube,
  ref,
  namespaces,
  defaults,
}: TargetAppReaderOptions): TargetAppReader {
  const remembered = new Map<string, EffectiveSpec[]>();
  const isWatched = ({ namespace }: ObjectRef): boolean => namespaces.length === 0 || namespaces.includes(namespace);

  const find = async (app: ObjectRef, atLeast = 0): Promise<WatchedApp | undefined> => {
    if (!isWatched(app)) return undefined;
    const { namespace, name, uid } = app;
    const known = cache.get(namespace, name);
    if (known?.metadata.uid === uid && isEnding(known)) return undefined;
    if (known?.metadata.uid === uid && known.metadata.generation >= atLeast) return known;
    const object = await kube.get(ref, { namespace, name }, { signal: AbortSignal.timeout(patienceMs) });
    if (object?.metadata.uid !== uid) return undefined;
    const found = watchedApp(object);
    return isEnding(found) ? undefined : found;
  };

  const isKept = ({ namespace, name, uid }: ObjectRef): boolean => {
    const known = cache.get(namespace, name);
    return known?.metadata.uid === uid && !isEnding(known);
  };

  const inForce = ({ metadata, spec }: WatchedApp): EffectiveSpec => {
    const known = remembered.get(metadata.uid) ?? [];
    const same = known.find(({ generation }) => generation === metadata.generation);
    if (same !== undefined) return same;
    const parsed = TargetAppSpec.safeParse(spec);
    const entry: EffectiveSpec = {
      generation: metadata.generation,
      plan: compileSpec({ metadata, spec }, defaults),
      ...(parsed.success && { spec: parsed.data, selected: selectedBy(parsed.data) }),
    };
    // A poll may still be under way when its TargetApp goes; who forgets it does so once.
    if (isKept(metadata)) remembered.set(metadata.uid, [entry, ...known].slice(0, 2));
    return entry;
  };

  return {
    find,
    effectiveSpec: inForce,
    isKept,
    forget: (uid) => remembered.delete(uid),
    get size() {
      return remembered.size;
    },
    present: async (app, atLeast) => {
      const found = await find(app, atLeast);
      if (found === undefined) return undefined;
      const now = inForce(found);
      // Remembered by uid, and the object of that uid is the one that the reference names.
      const before = remembered.get(app.uid)?.find((entry) => entry !== now);
      return { now, ...(before !== undefined && { before }) };
    },
  };
}
