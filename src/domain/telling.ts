import type { EventRecord } from './events.ts';
import type { JsonObject } from './json.ts';
import type { ObjectRef } from './refs.ts';

/** What is to be told of an object now. */
export interface Telling {
  /** As in the custom resource. */
  kind: string;
  app: ObjectRef;
  /** Absent when there is nothing new to stand in it. */
  status?: JsonObject;
  records: EventRecord[];
}

/** What was told. What was not is left to the next turn, and to activities that are tried until they succeed. */
export interface Told {
  /** What became of the status; absent when it was not written, or there was none. */
  status?: { gone: boolean; refused?: string };
  /** Positions of Events that were not recorded; absent when there are none. */
  left?: number[];
}
