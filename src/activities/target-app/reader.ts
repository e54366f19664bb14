import { compileSpec, type SpecDefaults } from '../../api/target-app/compile-spec.ts';
import { checkQuery, type Selected } from '../../api/target-app/query.ts';
import type { TargetAppSpec } from '../../api/target-app/schema.ts';
import type { ObjectRef } from '../../domain/refs.ts';
import type { CompiledSpec } from '../../domain/target-app/compiled-spec.ts';
import type { ObjectFinder } from '../object-finder.ts';
import { isTerminating } from '../watched-object.ts';
import type { WatchedApp } from './watched-app.ts';

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
  /** As `ObjectFinder.find`; undefined, too, when its deletion has begun: nobody wants it any more. */
  find(app: ObjectRef, atLeast?: number): Promise<WatchedApp | undefined>;
  /** Parsed and planned; remembered with the generation before it, for an action that is under way during an edit. */
  effectiveSpec(app: WatchedApp): EffectiveSpec;
  /**
   * The specs of an object that is there: the present one, and the one before it as far as it is remembered. Undefined
   * when the object is gone, or the reference names another one.
   */
  present(app: ObjectRef, atLeast: number): Promise<{ now: EffectiveSpec; before?: EffectiveSpec } | undefined>;
  /** As `ObjectFinder.isKept`. */
  isKept(app: ObjectRef): boolean;
  /** Forgets what is remembered of a TargetApp that is gone. */
  forget(uid: string): void;
  /** Of how many something is remembered. */
  readonly size: number;
}

export interface TargetAppReaderOptions {
  finder: ObjectFinder<WatchedApp>;
  defaults: SpecDefaults;
}

function effectiveSpecOf({ metadata, spec }: WatchedApp, defaults: SpecDefaults): EffectiveSpec {
  const { plan, spec: parsed } = compileSpec({ metadata, spec }, defaults);
  return {
    generation: metadata.generation,
    plan,
    ...(parsed !== undefined && { spec: parsed, selected: selectedBy(parsed) }),
  };
}

export function createTargetAppReader({ finder, defaults }: TargetAppReaderOptions): TargetAppReader {
  const remembered = new Map<string, EffectiveSpec[]>();

  const find = async (app: ObjectRef, atLeast?: number): Promise<WatchedApp | undefined> => {
    const found = await finder.find(app, atLeast);
    return found !== undefined && isTerminating(found) ? undefined : found;
  };

  const effectiveSpec = (app: WatchedApp): EffectiveSpec => {
    const { metadata } = app;
    const known = remembered.get(metadata.uid) ?? [];
    const same = known.find(({ generation }) => generation === metadata.generation);
    if (same !== undefined) return same;
    const entry = effectiveSpecOf(app, defaults);
    // A poll may still be under way when its TargetApp goes; who forgets it does so once.
    if (finder.isKept(metadata)) remembered.set(metadata.uid, [entry, ...known].slice(0, 2));
    return entry;
  };

  return {
    find,
    effectiveSpec,
    isKept: finder.isKept,
    forget: (uid) => remembered.delete(uid),
    get size() {
      return remembered.size;
    },
    present: async (app, atLeast) => {
      const found = await find(app, atLeast);
      if (found === undefined) return undefined;
      const now = effectiveSpec(found);
      // Remembered by uid, and the object of that uid is the one that the reference names.
      const before = remembered.get(app.uid)?.find((entry) => entry !== now);
      return { now, ...(before !== undefined && { before }) };
    },
  };
}
