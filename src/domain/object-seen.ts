import type { JsonObject } from './json.ts';
import type { ObjectRef } from './refs.ts';

/** Which object is to be read, and what of it is known. */
export interface ReadInput {
  /** As in the custom resource. */
  kind: string;
  app: ObjectRef;
  /** The generation that was seen last: a cache that is behind it is not believed. */
  generation?: number;
  /** A change was signalled, so a cache may be behind it. */
  fresh?: true;
  /** Names of the search attributes that Temporal has, as far as the workflow knows; absent: all. */
  attributes?: string[];
}

/** A custom resource as it is now. */
export interface ObjectThere {
  deleted?: undefined;
  generation: number;
  /** As the API server has it: its schema has let it pass. */
  spec: JsonObject;
  /** KCO's finalizer is on it. */
  isHeld?: true;
  /** Its deletion has begun, and waits for that finalizer. */
  isTerminating?: true;
  /** Names of the search attributes that Temporal has, when they are not those told; null: all. */
  attributes?: string[] | null;
}

/** The object, or that it is gone: deleted, about to be without waiting for KCO, or its name belongs to another uid. */
export type ObjectSeen = ObjectThere | { deleted: true; attributes?: undefined };

/** What became of an object that was to be applied. */
export type Applied = { ok: true } | { ok: false; reason: string; message: string };
