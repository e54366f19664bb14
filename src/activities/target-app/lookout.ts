import type { ObjectRef } from '../../domain/refs.ts';
import { nextTickOfPoll } from '../../domain/schedule.ts';
import { fingerprintOf } from '../../domain/target-app/memory.ts';
import { isNews, type Observation, type ObserveInput } from '../../domain/target-app/observation.ts';
import type { Log } from '../../telemetry/logger.ts';
import type { Lookout } from '../lookouts.ts';
import type { Places } from '../places.ts';
import type { DuePolls } from './due-polls.ts';
import type { Observe } from './observe.ts';
import type { TargetAppReader } from './reader.ts';
import type { Wait, Wheel } from './wheel.ts';

export interface LookoutOptions {
  observe: Observe;
  apps: Pick<TargetAppReader, 'effectiveSpec' | 'find'>;
  wheel: Wheel;
  /** Bounds the polls that are under way at the same time. */
  places: Places;
  /** Names of the search attributes that Temporal has; null: all, undefined: not known yet. */
  searchAttributes(): string[] | null | undefined;
  duePolls: Pick<DuePolls, 'expect'>;
  /** Whether this replica looks after the TargetApp of that uid. */
  owns(uid: string): boolean;
  /** Of which TargetApps the workflow's first turn is to poll at once. */
  changed: Set<string>;
  /** Aborted when this process ends. */
  ending: AbortSignal;
  log: Pick<Log, 'warning'>;
}

/** How a poll is told what the one before it has seen. */
const knownFrom = ({ plan, pollRequested, readings = [] }: Observation): Omit<ObserveInput, 'app' | 'due'> => ({
  known: Object.fromEntries(readings.map((reading) => [reading.subject, fingerprintOf(reading)])),
  ...(plan !== undefined && { plan: plan.digest }),
  ...(pollRequested !== undefined && { pollRequested }),
});

/**
 * Polls a TargetApp as its workflow would, until that is there to do it: each poll is compared with the first one, which the
 * workflow begins with. What differs is not kept: the workflow's own first poll finds it.
 */
export class AppLookout implements Lookout {
  readonly looked: Promise<void>;
  seen?: Observation;
  readonly #app: ObjectRef;
  readonly #options: LookoutOptions;
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  #wait: Wait | undefined;

  constructor(app: ObjectRef, onNews: () => void, options: LookoutOptions) {
    this.#app = app;
    this.#options = options;
    this.#signal = AbortSignal.any([this.#over.signal, options.ending]);
    this.looked = this.#look();
    void this.looked.then(() => this.#watch(onNews)).catch(() => undefined);
  }

  end(): void {
    this.#over.abort();
    this.#wait?.wake();
  }

  async #look(): Promise<void> {
    this.seen = await this.#poll(Date.now(), { known: {} });
  }

  async #watch(onNews: () => void): Promise<void> {
    const { apps, duePolls, changed, owns } = this.#options;
    const { uid } = this.#app;
    for (const { seen } = this; seen !== undefined && !seen.unasked && !seen.deleted; ) {
      const app = await apps.find(this.#app);
      if (app === undefined || this.#signal.aborted || !owns(uid)) return;
      const due = nextTickOfPoll(uid, apps.effectiveSpec(app).plan.intervalMs, Date.now());
      duePolls.expect(uid, due);
      await this.#until(due);
      const told = this.#signal.aborted ? undefined : await this.#poll(due, knownFrom(seen));
      if (told === undefined || !isNews(told, { seen })) continue;
      changed.add(uid);
      return onNews();
    }
  }

  async #until(due: number): Promise<void> {
    this.#wait = this.#options.wheel.wait(due);
    if (this.#signal.aborted) this.#wait.wake();
    await this.#wait.ended;
  }

  /** Undefined where it has failed, of which the workflow's own polls will tell. */
  async #poll(due: number, known: Omit<ObserveInput, 'app' | 'due'>): Promise<Observation | undefined> {
    const { observe, places, searchAttributes, log } = this.#options;
    const app = this.#app;
    const attributes = searchAttributes();
    const input = { app, due, ...known, ...(attributes != null && { attributes }) };
    try {
      return await places(app.namespace, () => observe(input, this.#signal, Number.POSITIVE_INFINITY), this.#signal);
    } catch (error) {
      if (!this.#signal.aborted)
        log.warning('poll failed, retrying', { namespace: app.namespace, tapp: app.name, error });
      return undefined;
    }
  }
}
