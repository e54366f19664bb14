import { setTimeout as sleep } from 'node:timers/promises';
import { createKcoWorkers, type KcoWorkers, type KcoWorkersOptions, type States } from './worker.ts';

/** Workers that are created as soon as Temporal can be had. */
export interface WorkerSupervisor {
  /** Begins to create them; does not wait. */
  start(): void;
  /** Rejects when a worker has ended by itself, and the others with it; never resolves. */
  readonly failed: Promise<never>;
  /** State of the SDK's worker of each task queue; `CONNECTING` before there is one. */
  states(): States;
  /**
   * Puts new workers, with a new connection, in the place of the present ones, which end what they have begun. A connection
   * whose other end has silently moved elsewhere is believed in by the SDK for up to a minute.
   */
  restart(): void;
  /** Takes no more work, and lets what runs end within the grace period. */
  stop(): Promise<void>;
}

const retryMs = 2_000;

const connecting: States = {
  actions: 'CONNECTING',
  events: 'CONNECTING',
  polls: 'CONNECTING',
  reports: 'CONNECTING',
};

/** Creates the workers, however long that takes, and runs them until they are to be stopped. */
export function createWorkerSupervisor(
  options: KcoWorkersOptions,
  onError: (error: unknown) => void,
): WorkerSupervisor {
  const stopping = new AbortController();
  const { signal } = stopping;
  let current: KcoWorkers | undefined;
  let starting: Promise<void> | undefined;
  const running = new Set<Promise<void>>();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => undefined); // whoever cares awaits it

  const run = async (started: KcoWorkers): Promise<void> => {
    try {
      const ended = started.run();
      // A stop that came while they were being created has nobody else to tell them.
      if (signal.aborted) started.shutdown();
      await ended;
      if (current === started && !signal.aborted) fail(new Error('the workers ended by themselves'));
    } catch (error) {
      if (current === started) fail(error);
      else onError(error);
    }
  };

  const createAndRun = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const [before, created] = [current, await createKcoWorkers(options)];
        current = created;
        const ended = run(created);
        running.add(ended);
        void ended.finally(() => running.delete(ended));
        before?.shutdown();
        return;
      } catch (error) {
        onError(error);
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  };

  const start = (): void => {
    starting ??= createAndRun().finally(() => {
      starting = undefined;
    });
  };

  return {
    start,
    failed,
    states: () => current?.states() ?? connecting,
    restart: start,
    stop: async () => {
      stopping.abort();
      await starting;
      current?.shutdown();
      await Promise.all(running);
    },
  };
}
