import { msOf } from '../../../domain/seconds.ts';
import { KubeError } from '../errors.ts';
import type { Kube, KubeList, KubeObject, ListOptions, ResourceRef, WatchOptions } from '../types.ts';
import { linesOf } from './lines.ts';

/** One line of a watch. `BOOKMARK` carries a version only, `ERROR` a Status in place of an object. */
export interface WatchEvent {
  type: string;
  object: KubeObject & { code?: number; reason?: string; message?: string; details?: KubeError['details'] };
}

const parse = (line: string): WatchEvent => {
  try {
    return JSON.parse(line) as WatchEvent;
  } catch (cause) {
    throw new KubeError({ reason: 'InvalidResponse', message: 'the watch sent a line that is not JSON', cause });
  }
};

const errorFromEvent = ({ object }: WatchEvent): KubeError => {
  const seconds = object.details?.retryAfterSeconds;
  return new KubeError({
    status: object.code ?? 500,
    reason: object.reason || 'InternalError',
    message: object.message ?? 'the watch ended with an error',
    retryAfterMs: seconds === undefined ? undefined : msOf(seconds),
    details: object.details,
  });
};

/** A type whose objects are listed and watched. */
export interface Watched {
  kube: Pick<Kube, 'list' | 'watch'>;
  ref: ResourceRef;
}

type Take = (object: KubeObject) => void;

/** One page. Nothing here refers to its objects when it is taken. */
const listPage = async (
  { kube, ref }: Watched,
  options: ListOptions,
  take: Take,
): Promise<KubeList<never>['metadata']> => {
  const { items, metadata } = await kube.list<KubeObject>(ref, options);
  for (const object of items) take(object);
  return metadata;
};

/**
 * Lists all pages, each of which is taken before the next is asked for, so that no more than one is in memory. Resolves with the
 * version of the list; when it throws, what was taken is half a list, and would look like deletions.
 */
export const listAll = async (watched: Watched, options: ListOptions, take: Take): Promise<string> => {
  let metadata = await listPage(watched, options, take);
  while (metadata.continue) metadata = await listPage(watched, { ...options, continue: metadata.continue }, take);
  return metadata.resourceVersion;
};

export interface ConnectionOptions extends WatchOptions {
  /** Without a byte for this long the connection is dead. */
  stallMs: number;
  /** Called when the watch is open; it may still be one that never says anything. */
  onOpen(): void;
  /** Called for each part that arrives. */
  onData(): void;
}

/** A watch that was open and said nothing, not even the bookmarks that come about once a minute. */
export class SilentWatch extends KubeError {
  constructor(silentMs: number) {
    super({ reason: 'Timeout', message: `the watch was silent for ${silentMs} ms` });
    this.name = 'SilentWatch';
  }
}

/** The events of one connection, until the server ends it. Throws when it fails, falls silent, or sends an ERROR event. */
export const watchOnce = async function* (
  { kube, ref }: Watched,
  { stallMs, onOpen, onData, signal, ...options }: ConnectionOptions,
): AsyncGenerator<WatchEvent, void, undefined> {
  const silence = new AbortController();
  const stalled = new SilentWatch(stallMs);
  const timer = setTimeout(() => silence.abort(stalled), stallMs);
  const alive = async function* () {
    const stream = await kube.watch(ref, { ...options, signal: AbortSignal.any([signal, silence.signal]) });
    onOpen();
    for await (const chunk of stream) {
      timer.refresh();
      onData();
      yield chunk;
    }
  };
  try {
    for await (const line of linesOf(alive())) {
      const event = parse(line);
      if (event.type === 'ERROR') throw errorFromEvent(event);
      yield event;
    }
  } catch (error) {
    throw silence.signal.aborted ? stalled : error;
  } finally {
    clearTimeout(timer);
  }
};
