import { setTimeout as sleep } from 'node:timers/promises';
import { createKcoWorker, type KcoWorker, type KcoWorkerOptions } from './worker.ts';

/** A worker that is created as soon as Temporal can be had. */
export interface Employed {
  /** Resolves when the worker was stopped, rejects when it ended by itself. */
  readonly running: Promise<void>;
  /** State of the SDK's worker; `CONNECTING` before there is one. */
  state(): string;
  /** Lets what runs end within the grace period. `signal` must have been aborted. */
  stop(): Promise<void>;
}

const retryMs = 2_000;

/** Creates a worker, however long that takes, and runs it until the signal says that it is to be stopped. */
export function employ(options: KcoWorkerOptions, signal: AbortSignal, onError: (error: unknown) => void): Employed {
  let employee: KcoWorker | undefined;
  const hire = async (): Promise<void> => {
    while (employee === undefined && !signal.aborted) {
      try {
        employee = await createKcoWorker(options);
      } catch (error) {
        onError(error);
        await sleep(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  const run = async (): Promise<void> => {
    await hire();
    if (employee === undefined) return;
    const { worker, connection } = employee;
    try {
      const ended = worker.run();
      // A stop that came while it was being created has nobody else to tell it.
      if (signal.aborted) worker.shutdown();
      await ended;
    } finally {
      await connection.close();
    }
    if (!signal.aborted) throw new Error('the worker ended by itself');
  };
  const running = run();
  return {
    running,
    state: () => employee?.worker.getState() ?? 'CONNECTING',
    stop: async () => {
      if (employee?.worker.getState() === 'RUNNING') employee.worker.shutdown();
      await running.catch(() => undefined);
    },
  };
}
