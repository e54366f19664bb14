import { hasStatus, KubeError } from '../errors.ts';
import type { Store } from './store.ts';
import { listAll, SilentWatch, type WatchEvent, type Watched, watchOnce } from './watch-stream.ts';

/** Time as the watch needs it; an argument so that nothing here reads a clock. */
export interface WatchClock {
  /** Milliseconds that only go up. */
  now(): number;
  /** Ends early, without an error, when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** 0 ≤ x < 1. */
  random(): number;
}

/** Milliseconds, except for `pageSize`. */
export interface WatchTiming {
  /** First wait after a failure; doubles up to the cap, and each is shortened by up to half at random. */
  backoffMs: number;
  backoffCapMs: number;
  /** Without a byte for this long a watch is dead. Bookmarks come about once a minute. */
  stallMs: number;
  /** The server is asked to end a watch after this long, so that connections spread over its replicas. */
  watchMs: number;
  /** A full list after this long, shortened by up to a fifth at random: the net under everything else. */
  relistMs: number;
  pageSize: number;
}

export interface ReflectorOptions extends Watched {
  /** All namespaces when absent. */
  namespace?: string;
  labelSelector?: string;
  store: Pick<Store<unknown>, 'put' | 'remove' | 'replace'>;
  clock: WatchClock;
  timing: WatchTiming;
  signal: AbortSignal;
  onListed(): void;
  /** Told when a watch is open again after a failure. */
  onReturn(): void;
  onError(error: unknown, waitMs: number): void;
}

/** One LIST and WATCH that goes on until its signal aborts. */
export interface Reflector {
  /** When the API server last proved that the copy is current; `-Infinity` before. */
  provenAt(): number;
  /** Whether everything was listed once. */
  hasListed(): boolean;
  /** What its last attempt failed by; undefined as soon as the API server has opened a watch again, or, after a silent one, said something. */
  trouble(): unknown;
  /** Never rejects. */
  run(): Promise<void>;
}

/** Whether a version is useless after this failure of a watch; everything that is not clearly passing is taken so. */
const needsList = (error: unknown): boolean => {
  if (!(error instanceof KubeError) || error.reason === 'InvalidResponse') return true;
  if (error.details?.causes?.some(({ reason }) => reason === 'ResourceVersionTooLarge')) return true;
  return error.status !== undefined && error.status !== 429 && error.status < 500;
};

const longestRetryAfterMs = 300_000;
/** How long the server asks to be left alone, up to a limit. */
const retryAfterMs = (error: unknown): number =>
  error instanceof KubeError ? Math.min(error.retryAfterMs ?? 0, longestRetryAfterMs) : 0;

// A version that has failed this often may itself be the trouble.
const failuresBeforeList = 3;
const tooShortMs = 1000;

/** A watch that is neither listed nor connected before `run`. */
export const createReflector = (options: ReflectorOptions): Reflector => {
  const { namespace, labelSelector, store, clock, timing, signal } = options;
  const scope = { namespace, labelSelector };
  let version: string | undefined;
  let relistAt = 0;
  let provenAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let listedOnce = false;
  let paged = true;
  let trouble: unknown;

  const list = async (): Promise<void> => {
    const startedAt = clock.now();
    // Any version will do for the first list, and the watch catches up; later ones must not go back in time.
    const resourceVersion = listedOnce ? undefined : '0';
    const limit = paged ? timing.pageSize : undefined;
    const { items, metadata } = await listAll(options, { ...scope, limit, resourceVersion, signal });
    store.replace(items, namespace);
    version = metadata.resourceVersion;
    listedOnce = true;
    paged = true;
    provenAt = startedAt;
    relistAt = clock.now() + timing.relistMs * (1 - clock.random() / 5);
    options.onListed();
  };

  /** The list from time to time. One that fails is put off: the watch that it is the net under is still good. */
  const relist = async (): Promise<void> => {
    try {
      await list();
    } catch (error) {
      if (signal.aborted) return;
      if (hasStatus(error, 410)) paged = false;
      const waitMs = Math.max(timing.relistMs / 10, retryAfterMs(error));
      relistAt = clock.now() + waitMs;
      options.onError(error, waitMs);
    }
  };

  const take = ({ type, object }: WatchEvent): void => {
    if (type === 'DELETED') store.remove(object);
    else if (type !== 'BOOKMARK') store.put(object);
    version = object.metadata.resourceVersion;
    failures = 0;
  };

  const onData = (): void => {
    provenAt = clock.now();
    if (trouble === undefined) return;
    trouble = undefined;
    options.onReturn();
  };

  /** One that has just been silent proves nothing by being open again. */
  const onOpen = (): void => {
    if (!(trouble instanceof SilentWatch)) onData();
  };

  const watch = async (resourceVersion: string): Promise<void> => {
    const startedAt = clock.now();
    const watchMs = Math.max(1000, Math.min(timing.watchMs, relistAt - startedAt));
    const { stallMs } = timing;
    const connection = {
      ...scope,
      resourceVersion,
      timeoutSeconds: Math.ceil(watchMs / 1000),
      signal,
      stallMs,
      onOpen,
      onData,
    };
    try {
      for await (const event of watchOnce(options, connection)) take(event);
    } catch (error) {
      // A long life is a good sign, even without a single event: the next failure starts from the shortest wait.
      if (clock.now() - startedAt > timing.backoffCapMs) failures = 0;
      throw error;
    }
    const short = version === resourceVersion && clock.now() - startedAt < tooShortMs;
    if (short)
      throw new KubeError({ reason: 'ConnectionLost', message: 'the watch was ended as soon as it was opened' });
  };

  const backoff = (error: unknown): number => {
    const grown = Math.min(timing.backoffCapMs, timing.backoffMs * 2 ** Math.min(failures - 1, 20));
    return Math.max(retryAfterMs(error), grown * (1 - clock.random() / 2));
  };

  const survive = async (error: unknown, watching: boolean): Promise<void> => {
    if (signal.aborted) return;
    failures += 1;
    if (watching && (needsList(error) || failures % failuresBeforeList === 0)) version = undefined;
    // A continue token that expired is answered with 410 as well: next time in one piece.
    if (!watching && hasStatus(error, 410)) paged = false;
    // An expired version is the ordinary end of a long pause, not a fault; only its repetition is.
    const waitMs = hasStatus(error, 410) && failures === 1 ? 0 : backoff(error);
    if (waitMs > 0) trouble = error;
    options.onError(error, waitMs);
    await clock.sleep(waitMs, signal);
  };

  return {
    provenAt: () => provenAt,
    hasListed: () => listedOnce,
    trouble: () => trouble,
    run: async () => {
      while (!signal.aborted) {
        let watching = false;
        try {
          if (version === undefined) await list();
          else if (clock.now() >= relistAt) await relist();
          watching = true;
          // `list` has set it.
          await watch(version ?? '');
          failures = 0;
        } catch (error) {
          await survive(error, watching);
        }
      }
    },
  };
};
