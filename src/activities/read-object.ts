import type { JsonObject } from '../domain/json.ts';
import type { ObjectSeen, ReadInput } from '../domain/object-seen.ts';
import { attributesTold } from './attributes-told.ts';
import { isHeld } from './finalizer.ts';
import { kindAccess } from './kind-access.ts';
import type { ObjectFinder } from './object-finder.ts';
import { isTerminating, type WatchedObject } from './watched-object.ts';

/** Reads one custom resource. Rejects with a `KubeError` when it has to be asked for and the API server does not answer. */
export type ReadObject = (input: ReadInput) => Promise<ObjectSeen>;

/**
 * Objects are read by their kind's finder.
 *
 * @param usable names of the search attributes that Temporal has; null: all, undefined: not known yet
 */
export const createReadObject =
  (
    finderOf: (kind: string) => Pick<ObjectFinder<WatchedObject>, 'find'>,
    usable: () => string[] | null | undefined,
  ): ReadObject =>
  async ({ kind, app, generation, fresh, attributes }) => {
    const found = await finderOf(kind).find(app, fresh ? Number.POSITIVE_INFINITY : generation);
    if (found === undefined) return { deleted: true };
    const held = isHeld(found, kindAccess(kind).ref);
    if (isTerminating(found) && !held) return { deleted: true };
    return {
      generation: found.metadata.generation,
      spec: found.spec as JsonObject,
      ...(held && { isHeld: true }),
      ...(isTerminating(found) && { isTerminating: true }),
      ...attributesTold(usable(), attributes),
    };
  };
