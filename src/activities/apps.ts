import { type PlanDefaults, planOf } from '../api/plan-of.ts';
import { checkQuery, type Selected } from '../api/query.ts';
import { TargetAppSpec } from '../api/target-app.ts';
import type { ExportedFields } from '../clients/field-metrics.ts';
import type { Kube, KubeObject, ObjectMeta, ResourceRef } from '../clients/kube-types.ts';
import type { WatchCache } from '../clients/watch-cache.ts';
import type { AppRef, EpisodeMirror } from '../domain/observation.ts';
import type { Plan } from '../domain/plan.ts';
import { type ExportingApp, exportedFields } from './exported-fields.ts';

/** What KCO keeps of a TargetApp in its watch cache. */
export interface WatchedApp {
  metadata: Pick<ObjectMeta, 'uid' | 'name' | 'annotations' | 'creationTimestamp'> & {
    namespace: string;
    generation: number;
  };
  spec: unknown;
  /** `status.observedGeneration`; absent before the first report. */
  observedGeneration?: number;
  /** `status.rules[].episodes`, flattened. */
  mirror: EpisodeMirror[];
  /** What of `status.state` is exported as metrics; absent where nothing is. */
  exported?: ExportedFields;
}

interface StatusPart {
  observedGeneration?: number;
  rules?: { name: string; episodes?: { subject: string; since: number; firedAt?: number }[] }[];
}

/** Cuts a TargetApp down to what is needed of it. */
export function watchedApp(object: KubeObject): WatchedApp {
  const { metadata, spec, status } = object as KubeObject & ExportingApp & { status?: StatusPart };
  const { uid, name, annotations, creationTimestamp } = metadata;
  const mirror = (status?.rules ?? []).flatMap(({ name: rule, episodes = [] }) =>
    episodes.map((episode) => ({ rule, ...episode })),
  );
  const exported = exportedFields({ spec, status });
  return {
    metadata: {
      uid,
      name,
      annotations,
      creationTimestamp,
      namespace: metadata.namespace ?? '',
      generation: metadata.generation ?? 1,
    },
    spec,
    mirror,
    ...(status?.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }),
    ...(exported !== undefined && { exported }),
  };
}

/** A spec as it is in force: parsed once per generation. */
export interface SpecInForce {
  generation: number;
  plan: Plan;
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
export interface Apps {
  /**
   * The object of that uid, or undefined when it is gone. A cache that does not know it, or that is behind the generation
   * that somebody has seen already (`atLeast`; infinity: always), is not believed without a GET. One of a namespace that
   * is not watched is gone, without asking: its workflow dates from a time when it was, and is to end.
   */
  find(app: AppRef, atLeast?: number): Promise<WatchedApp | undefined>;
  /** Parsed and planned; remembered with the generation before it, for an action that is under way during an edit. */
  inForce(app: WatchedApp): SpecInForce;
  /** The spec of one generation, when it is the present one or still remembered. */
  ofGeneration(app: AppRef, generation: number): Promise<SpecInForce | undefined>;
  /** Forgets what is remembered of a TargetApp that is gone. */
  forget(uid: string): void;
}

export interface AppsOptions {
  cache: Pick<WatchCache<WatchedApp>, 'get'>;
  kube: Pick<Kube, 'get'>;
  ref: ResourceRef;
  /** Namespaces whose TargetApps are looked after; empty: all. */
  namespaces: readonly string[];
  defaults: PlanDefaults;
}

export function createApps({ cache, kube, ref, namespaces, defaults }: AppsOptions): Apps {
  const remembered = new Map<string, SpecInForce[]>();
  const isWatched = ({ namespace }: AppRef): boolean => namespaces.length === 0 || namespaces.includes(namespace);

  const find = async (app: AppRef, atLeast = 0): Promise<WatchedApp | undefined> => {
    if (!isWatched(app)) return undefined;
    const { namespace, name, uid } = app;
    const known = cache.get(namespace, name);
    if (known?.metadata.uid === uid && known.metadata.generation >= atLeast) return known;
    const object = await kube.get(ref, { namespace, name });
    return object?.metadata.uid === uid ? watchedApp(object) : undefined;
  };

  const inForce = ({ metadata, spec }: WatchedApp): SpecInForce => {
    const known = remembered.get(metadata.uid) ?? [];
    const same = known.find(({ generation }) => generation === metadata.generation);
    if (same !== undefined) return same;
    const parsed = TargetAppSpec.safeParse(spec);
    const entry: SpecInForce = {
      generation: metadata.generation,
      plan: planOf({ metadata, spec }, defaults),
      ...(parsed.success && { spec: parsed.data, selected: selectedBy(parsed.data) }),
    };
    remembered.set(metadata.uid, [entry, ...known].slice(0, 2));
    return entry;
  };

  return {
    find,
    inForce,
    forget: (uid) => remembered.delete(uid),
    ofGeneration: async (app, generation) => {
      if (!isWatched(app)) return undefined;
      const known = remembered.get(app.uid)?.find((entry) => entry.generation === generation);
      if (known !== undefined) return known;
      const present = await find(app, Number.POSITIVE_INFINITY);
      return present?.metadata.generation === generation ? inForce(present) : undefined;
    },
  };
}
