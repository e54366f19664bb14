import { setTimeout as sleep } from 'node:timers/promises';
import { type Kube, KubeError } from '../clients/kubernetes/client.ts';
import { isPermanent } from '../clients/kubernetes/is-permanent.ts';
import type { EventRecord } from '../domain/events.ts';
import type { ObjectRef } from '../domain/refs.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import type { Redact } from '../telemetry/redactor.ts';
import { eventObject } from './event-object.ts';
import type { KindAccess } from './kind-access.ts';
import type { Places } from './places.ts';

/** What Events are written with. */
export interface EventTools {
  kube: Pick<Kube, 'applyEvent'>;
  places: Places;
  metrics: Pick<Metrics, 'eventGenerated' | 'eventsDropped' | 'failed'>;
  log: Log;
  /** Name of this process, as `reportingInstance`. */
  instance: string;
  redact: Redact;
}

/** What the Events of one activity have in common. */
export interface EventTarget {
  kind: KindAccess;
  app: ObjectRef;
  signal: AbortSignal;
  /** `performance.now()` at which it has to be over. */
  until: number;
}

/** Of one object at the same time. */
const lanes = 4;
/** After so many failures in a row, none taken, the others are left to the next attempt, which begins with them. */
export const maxFailures = 3;
const maxWaits = 3;

/** How long the API server asks to be left alone, in milliseconds. */
export const waitAsked = (error: unknown): number | undefined =>
  error instanceof KubeError ? error.retryAfterMs : undefined;

/** One activity's worth of Events, and how far it has come. */
export class EventBatch {
  /** The last failure that another attempt may mend. */
  error: unknown;
  readonly #tools: EventTools;
  readonly #target: EventTarget;
  /** `performance.now()` before which the API server does not want to be asked again. */
  #resumeAt = 0;
  #taken = 0;
  #failures = 0;

  constructor(tools: EventTools, target: EventTarget) {
    this.#tools = tools;
    this.#target = target;
  }

  /**
   * Records what is in this order.
   *
   * @returns positions of those that were not taken, and may be later
   */
  async record(records: EventRecord[], order: number[]): Promise<number[]> {
    const waiting = [...order];
    const left: number[] = [];
    const lane = async (): Promise<void> => {
      for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
        const record = records[at];
        if (record !== undefined && (this.#isInVain() || !(await this.#isDone(record)))) left.push(at);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return left.toSorted((a, b) => a - b);
  }

  #isInVain(): boolean {
    return this.#target.signal.aborted || (this.#taken === 0 && this.#failures >= maxFailures);
  }

  /** Whether an Event is done with: taken, or refused for good. */
  async #isDone(record: EventRecord): Promise<boolean> {
    try {
      if (!(await this.#waited())) return false;
      await this.#apply(record);
      this.#taken += 1;
      this.#tools.metrics.eventGenerated(record);
      return true;
    } catch (error) {
      if (isPermanent(error)) {
        this.#letGo(record, error);
        return true;
      }
      if (!this.#target.signal.aborted) this.error = error;
      this.#failures += 1;
      return false;
    }
  }

  #letGo(record: EventRecord, error: unknown): void {
    const { metrics, log } = this.#tools;
    const { app, kind } = this.#target;
    metrics.failed({ category: 'kubernetes' });
    metrics.eventsDropped({ reason: 'Refused', count: 1 });
    log.error('event rejected', { namespace: app.namespace, [kind.column]: app.name, reason: record.reason, error });
  }

  /** Applies one Event; asked to come back later, it does, if there is time for it. */
  async #apply(record: EventRecord): Promise<void> {
    const { kube, places, instance, redact } = this.#tools;
    const { app, kind, signal } = this.#target;
    const body = eventObject(app, kind.ref, { ...record, message: redact(record.message) }, instance);
    for (let waits = 0; ; waits += 1) {
      try {
        return await places(app.namespace, () => kube.applyEvent(body, { signal }), signal);
      } catch (error) {
        const ms = waitAsked(error);
        if (ms === undefined || waits === maxWaits) throw error;
        this.#resumeAt = Math.max(this.#resumeAt, performance.now() + ms);
        if (!(await this.#waited())) throw error;
      }
    }
  }

  /** Waits as long as the API server asked to; false when that is longer than there is time. */
  async #waited(): Promise<boolean> {
    const { signal, until } = this.#target;
    if (this.#resumeAt >= until) return false;
    const ms = this.#resumeAt - performance.now();
    if (ms > 0) await sleep(ms, undefined, { signal });
    return true;
  }
}
