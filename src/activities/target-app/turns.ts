import { nextTickOfPoll } from '../../domain/schedule.ts';
import { isNews, type Observation, type ObserveInput, type TurnInput } from '../../domain/target-app/observation.ts';
import type { Places } from '../places.ts';
import { isTerminating } from '../watched-object.ts';
import { newsOf, type Observe } from './observe.ts';
import type { TargetAppReader } from './reader.ts';
import { pollRequestOf, type WatchedApp } from './watched-app.ts';
import type { Wheel } from './wheel.ts';

/** An input that asks for a turn. */
type TurnAsked = ObserveInput & { turn: TurnInput };

export const isTurn = (input: ObserveInput): input is TurnAsked => input.turn !== undefined;

/** The turns of this process: each polls one TargetApp until there is something to tell. */
export interface Turns {
  /**
   * Polls until something differs from what the workflow knows, until time alone may change a verdict, or until the turn is
   * over. A second turn of the same TargetApp ends the first, which nobody waits for any more.
   */
  take(input: TurnAsked, signal: AbortSignal): Promise<Observation>;
  /** Tells of a change of an object: what it asks for is looked at by its turn, if there is one here. */
  changed(app: WatchedApp): void;
  /** Ends all turns, and those to come: this process ends. */
  end(): void;
}

export interface TurnsOptions {
  observe: Observe;
  apps: Pick<TargetAppReader, 'effectiveSpec' | 'find'>;
  wheel: Wheel;
  /** Bounds the polls that are under way at the same time. */
  places: Places;
}

/** A turn that is held here. */
interface Held {
  over: AbortController;
  /** Of the object as the turn has seen it. */
  version?: string;
  wake(): void;
}

/** A stopped TargetApp is looked at now and then, in case the watch has lost a change. */
const idleMs = 5 * 60_000;

const moved: Observation = { matched: 0, unasked: 'moved' };

/** What of an object makes its turn look at once when it changes. */
const versionOf = (app: WatchedApp | undefined): string =>
  app === undefined ? '' : JSON.stringify([app.metadata.generation, pollRequestOf(app), isTerminating(app)]);

class Turn {
  readonly #input: TurnAsked;
  readonly #held: Held;
  readonly #options: TurnsOptions;
  readonly #endsAt: number;
  #isStopped: boolean;

  constructor(input: TurnAsked, held: Held, options: TurnsOptions) {
    this.#input = input;
    this.#held = held;
    this.#options = options;
    const { lengthMs, until = Number.POSITIVE_INFINITY } = input.turn;
    this.#endsAt = Math.min(Date.now() + lengthMs, until);
    this.#isStopped = input.turn.stopped === true;
  }

  async run(): Promise<Observation> {
    const { turn, ...asked } = this.#input;
    const { signal } = this.#held.over;
    for (;;) {
      const due = await this.#untilDue();
      if (signal.aborted) return moved;
      const told = await this.#poll({ ...asked, due });
      if (told === undefined) return moved;
      this.#isStopped = told.unasked === 'stopped';
      if (isNews(told, turn) || Date.now() >= this.#endsAt) return told;
    }
  }

  /** One poll, when there is a place for it; undefined when the turn is over. */
  async #poll(asked: ObserveInput): Promise<Observation | undefined> {
    const { observe, places } = this.#options;
    const { signal } = this.#held.over;
    try {
      const told = await places(asked.app.namespace, () => observe(asked, signal, Number.POSITIVE_INFINITY), signal);
      return signal.aborted ? undefined : told;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  }

  /** Waits for the next poll; resolves with when it was due, which is now for an object that says something new. */
  async #untilDue(): Promise<number> {
    const app = await this.#options.apps.find(this.#input.app);
    this.#held.version = versionOf(app);
    if (app === undefined || this.#isNewer(app)) return Date.now();
    const due = this.#nextAt(app);
    const { ended, wake } = this.#options.wheel.wait(due);
    this.#held.wake = wake;
    if (this.#held.over.signal.aborted) wake();
    await ended;
    return Math.min(due, Date.now());
  }

  #nextAt(app: WatchedApp): number {
    const now = Date.now();
    const { uid } = app.metadata;
    if (!this.#isStopped) return nextTickOfPoll(uid, this.#options.apps.effectiveSpec(app).plan.intervalMs, now);
    return Math.min(now + idleMs, this.#endsAt);
  }

  /** Whether the object says something else than the workflow knows. */
  #isNewer(app: WatchedApp): boolean {
    const { plan } = this.#options.apps.effectiveSpec(app);
    return Object.keys(newsOf(app, plan, this.#input)).length > 0;
  }
}

export function createTurns(options: TurnsOptions): Turns {
  const held = new Map<string, Held>();
  const ending = new AbortController();
  const end = (its: Held): void => {
    its.over.abort();
    its.wake();
  };
  return {
    take: async (input, signal) => {
      const { uid } = input.app;
      const before = held.get(uid);
      if (before !== undefined) end(before);
      const its: Held = { over: new AbortController(), wake: () => undefined };
      held.set(uid, its);
      const ends = AbortSignal.any([signal, ending.signal]);
      const onEnd = (): void => end(its);
      ends.addEventListener('abort', onEnd, { once: true });
      if (ends.aborted) onEnd();
      try {
        return await new Turn(input, its, options).run();
      } finally {
        ends.removeEventListener('abort', onEnd);
        if (held.get(uid) === its) held.delete(uid);
      }
    },
    changed: (app) => {
      const its = held.get(app.metadata.uid);
      if (its?.version !== undefined && its.version !== versionOf(app)) its.wake();
    },
    end: () => ending.abort(),
  };
}
