import { setTimeout as sleep } from 'node:timers/promises';
import { createKcoWorker, type KcoWorker, type KcoWorkerOptions } from './worker.ts';

/** A worker that is created as soon as Temporal can be had. */
export interface Employed {
  /** Rejects when the worker has ended by itself; never resolves. */
  readonly failed: Promise<never>;
  /** State of the SDK's worker; `CONNECTING` before there is one. */
  state(): string;
  /**
   * Puts a new worker, with a new connection, in the place of the present one, which ends what it has begun. A connection
   * whose other end has silently moved elsewhere is believed in by the SDK for up to a minute.
   */
  renew(): void;
  /** Lets what runs end within the grace period. `signal` must have been aborted. */
  stop(): Promise<void>;
}

const retryMs = 2_000;

/** Creates a worker, however long that takes, and runs it until the signal says that it is to be stopped. */
export function employ(options: KcoWorkerOptions, signal: AbortSignal, onError: (error: unknown) => void): Employed {
  let current: KcoWorker | undefined;
  let hiring: Promise<void> | undefined;
  const running = new Set<Promise<void>>();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => undefined); // whoever cares awaits it

  const run = async (hired: KcoWorker): Promise<void> => {
    const { worker, close } = hired;
    try {
      const ended = worker.run();
      // A stop that came while it was being created has nobody else to tell it.
      if (signal.aborted) worker.shutdown();
      await ended;
      if (current === hired && !signal.aborted) fail(new Error('the worker ended by itself'));
    } catch (error) {
      if (current === hired) fail(error);
      else onError(error);
    } finally {
      await close();
    }
  };

  const hire = async (): Promise<void> => {
    while (!signal.aborted) {
      try {
        const [before, hired] = [current, await createKcoWorker(options)];
        current = hired;
        const ended = run(hired);
        running.add(ended);
        void ended.finally(() => running.delete(ended));
        if (before?.worker.getState() === 'RUNNING') before.worker.shutdown();
        return;
      } catch (error) {
        onError(error);
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  };

  const renew = (): void => {
    hiring ??= hire().finally(() => {
      hiring = undefined;
    });
  };
  renew();

  return {
    failed,
    state: () => current?.worker.getState() ?? 'CONNECTING',
    renew,
    stop: async () => {
      await hiring;
      if (current?.worker.getState() === 'RUNNING') current.worker.shutdown();
      await Promise.all(running);
    },
  };
}
