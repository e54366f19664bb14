import { setTimeout as sleep } from 'node:timers/promises';
import { pause } from '../lifecycle/loop.ts';
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
  /** Takes no more work from now on; what runs goes on. Resolves when Temporal knows of it, so that it hands nothing to nobody. */
  leave(): Promise<void>;
  /** Takes no more work, and lets what runs end within the grace period. */
  stop(): Promise<void>;
}

const retryMs = 2_000;
/**
 * Temporal is asked for work by calls that stay open. The SDK hangs up on them, and says nothing of when that has come to Temporal;
 * what Temporal answers until then is lost, and missed by nobody for ten seconds.
 */
const hangUpMs = 250;

const connecting: States = {
  actions: 'CONNECTING',
  events: 'CONNECTING',
  polls: 'CONNECTING',
  reports: 'CONNECTING',
};

/** Workers that are put in each other's place: the present ones, and older ones that end what they have begun. */
class Crew {
  readonly #options: KcoWorkersOptions;
  readonly #onError: (error: unknown) => void;
  readonly #stopping = new AbortController();
  readonly #failed = Promise.withResolvers<never>();
  readonly #running = new Set<Promise<void>>();
  #current: KcoWorkers | undefined;
  #renewal: Promise<void> | undefined;

  constructor(options: KcoWorkersOptions, onError: (error: unknown) => void) {
    this.#options = options;
    this.#onError = onError;
    this.failed.catch(() => undefined); // whoever cares awaits it
  }

  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  get current(): KcoWorkers | undefined {
    return this.#current;
  }

  /** Creates workers, however long that takes; what comes meanwhile wants the same ones. */
  renew(): void {
    this.#renewal ??= this.#createAndRun().finally(() => {
      this.#renewal = undefined;
    });
  }

  async leave(): Promise<void> {
    this.#stopping.abort();
    if (this.#current === undefined) return;
    this.#current.shutdown();
    await sleep(hangUpMs);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#renewal;
    this.#current?.shutdown();
    await Promise.all(this.#running);
  }

  async #createAndRun(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        return this.#replaceBy(await createKcoWorkers(this.#options));
      } catch (error) {
        this.#onError(error);
        await pause(retryMs, signal);
      }
    }
  }

  #replaceBy(created: KcoWorkers): void {
    const before = this.#current;
    this.#current = created;
    const ended = this.#run(created);
    this.#running.add(ended);
    void ended.finally(() => this.#running.delete(ended));
    before?.shutdown();
  }

  async #run(started: KcoWorkers): Promise<void> {
    const { signal } = this.#stopping;
    try {
      const ended = started.run();
      // A stop that came while they were being created has nobody else to tell them.
      if (signal.aborted) started.shutdown();
      await ended;
      if (this.#current === started && !signal.aborted) throw new Error('the workers ended by themselves');
    } catch (error) {
      if (this.#current === started) this.#failed.reject(error);
      else this.#onError(error);
    }
  }
}

/** Creates the workers, however long that takes, and runs them until they are to be stopped. */
export function createWorkerSupervisor(
  options: KcoWorkersOptions,
  onError: (error: unknown) => void,
): WorkerSupervisor {
  const crew = new Crew(options, onError);
  return {
    start: () => crew.renew(),
    failed: crew.failed,
    states: () => crew.current?.states() ?? connecting,
    restart: () => crew.renew(),
    leave: () => crew.leave(),
    stop: () => crew.stop(),
  };
}
