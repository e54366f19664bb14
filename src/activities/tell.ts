import { setTimeout as sleep } from 'node:timers/promises';
import { type Backoff, backoffMs, spread } from '../domain/backoff.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Telling, Told } from '../domain/telling.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';
import { patienceAsked, type RecordEvents } from './record-events.ts';
import type { ReportStatus } from './report-status.ts';
import { StatusPace } from './status-pace.ts';

/** How long the API server has for one attempt, in milliseconds. */
const limitMs = 1_500;
/** How long it is not tried any more after the API server was too slow. */
const closedMs = 5_000;
/** What is older by more than ten minutes than what is stored is taken for newer by then: its clock may have been set back. */
const patientMs = 5 * 60_000;
const again: Backoff = { firstMs: 500, longestMs: 10_000 };

/** Something that is being told. */
export interface UnderWay {
  /** It is not tried any more: what is left is to be told by the next one, in words of then. */
  readonly isGivenUp: boolean;
  /** Ends it, but for what the API server is asked at the moment. What was told by then; what was not is left. */
  end(): Promise<Told>;
}

/**
 * Tells status and Events, neither waiting for the other, until the API server has taken them or the signal aborts. `afterMs`: what
 * was told already, as far as one can know, waits for so long, or until it is ended.
 */
export type Tell = (telling: Telling, signal: AbortSignal, afterMs?: number) => UnderWay;

/** Waits; ends early, without an error, when the signal aborts. */
type Pause = (ms: number, signal: AbortSignal) => Promise<void>;
const pauseByClock: Pause = (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined);

export interface TellOptions {
  reportStatus: ReportStatus;
  recordEvents: RecordEvents;
  metrics: Pick<Metrics, 'statusSuperseded'>;
}

type Attempt = <T>(namespace: string, write: (signal: AbortSignal) => Promise<T>) => Promise<T | undefined>;

/** What all tellings of a process share. */
interface Shared extends TellOptions {
  pace: StatusPace;
  /** Tries something once; undefined when it failed. In a namespace where the API server was slow it fails at once for a while. */
  attempt: Attempt;
  pause: Pause;
}

function createAttempt(): Attempt {
  /** By namespace: where an admission webhook hangs in one, the others go on. */
  const closedUntil = new Map<string, number>();
  return async (namespace, write) => {
    if (performance.now() < (closedUntil.get(namespace) ?? 0)) return undefined;
    closedUntil.delete(namespace);
    const signal = AbortSignal.timeout(limitMs);
    try {
      return await write(signal);
    } catch (error) {
      closedUntil.set(namespace, performance.now() + (signal.aborted ? closedMs : patienceAsked(error)));
      return undefined;
    }
  };
}

/** One telling. */
class OneTelling implements UnderWay {
  readonly #telling: Telling;
  readonly #shared: Shared;
  readonly #over = new AbortController();
  readonly #ended: Promise<void>;
  #status: Told['status'];
  #left: number[];
  #isWaitingForRoom = false;
  isGivenUp = false;

  constructor(telling: Telling, shared: Shared, signal: AbortSignal, afterMs: number) {
    this.#telling = telling;
    this.#shared = shared;
    this.#left = telling.records.map((_, at) => at);
    signal.addEventListener('abort', () => this.#over.abort(), { once: true });
    this.#ended = afterMs > 0 ? this.#later(afterMs, signal) : this.#tell();
  }

  async end(): Promise<Told> {
    // The next one has a status that is newer.
    if (this.#isWaitingForRoom) this.#shared.metrics.statusSuperseded();
    this.#over.abort();
    await this.#ended;
    return {
      ...(this.#status !== undefined && { status: this.#status }),
      ...(this.#left.length > 0 && { left: this.#left }),
    };
  }

  async #later(afterMs: number, signal: AbortSignal): Promise<void> {
    await this.#shared.pause(afterMs, this.#over.signal);
    // The turn is somebody else's, and so is this.
    if (!signal.aborted) await this.#tell();
  }

  async #tell(): Promise<void> {
    const { status } = this.#telling;
    await Promise.all([status && this.#report(status), this.#untilDone((nth) => this.#record(nth))]);
  }

  async #report(status: JsonObject): Promise<void> {
    const { kind, app } = this.#telling;
    const { attempt, reportStatus, pace, pause } = this.#shared;
    const { signal } = this.#over;
    for (let waitMs = pace.take(app.uid, status['observedGeneration']); waitMs > 0; ) {
      this.#isWaitingForRoom = true;
      await pause(waitMs, signal);
      if (signal.aborted) return;
      waitMs = pace.take(app.uid, status['observedGeneration']);
    }
    this.#isWaitingForRoom = false;
    await this.#untilDone(async () => {
      this.#status = await attempt(app.namespace, (limit) => reportStatus({ kind, app, status }, limit, limitMs));
      return this.#status !== undefined;
    });
  }

  async #record(nth: number): Promise<boolean> {
    if (this.#left.length === 0) return true;
    const { kind, app, records } = this.#telling;
    const { attempt, recordEvents } = this.#shared;
    const asked = this.#left;
    const recorded = await attempt(app.namespace, (signal) =>
      recordEvents(
        kind,
        app,
        asked.flatMap((at) => records[at] ?? []),
        { signal, limitMs, attempt: nth },
      ),
    );
    if (recorded !== undefined) this.#left = (recorded.left ?? []).flatMap((at) => asked[at] ?? []);
    return this.#left.length === 0;
  }

  /** Tries at least once, and again after longer and longer waits. */
  async #untilDone(isDone: (nth: number) => Promise<boolean>): Promise<void> {
    const { signal } = this.#over;
    const until = performance.now() + patientMs;
    for (let nth = 1; !(await isDone(nth)) && !signal.aborted; nth += 1) {
      this.isGivenUp ||= performance.now() >= until;
      if (this.isGivenUp) return;
      await this.#shared.pause(spread(backoffMs(again, nth), Math.random()), signal);
    }
  }
}

/**
 * Tells with patience where a turn is held, at no cost to Temporal. A status for which there is no room waits for it; when the turn
 * ends before, the next one has a newer status, so the last state is always written.
 */
export function createTell(options: TellOptions, pause = pauseByClock): Tell {
  const shared: Shared = { ...options, pause, pace: new StatusPace(), attempt: createAttempt() };
  return (telling, signal, afterMs = 0) => new OneTelling(telling, shared, signal, afterMs);
}
