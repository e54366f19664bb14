import { type Backoff, backoffMs, spread } from '../../domain/backoff.ts';
import { nextPollAt, nextTickOfPoll } from '../../domain/schedule.ts';
import { idleLookMs } from '../../domain/target-app/next-turn-at.ts';
import { isNews, type Observation, type ObserveInput, type TurnInput } from '../../domain/target-app/observation.ts';
import { overdueAfterMs } from '../../domain/target-app/overdue.ts';
import type { Log } from '../../telemetry/logger.ts';
import type { Places } from '../places.ts';
import type { Tell, UnderWay } from '../tell.ts';
import { isTerminating } from '../watched-object.ts';
import type { DuePolls } from './due-polls.ts';
import { newsOf, type Observe } from './observe.ts';
import type { TargetAppReader } from './reader.ts';
import type { Subscriptions } from './subscriptions.ts';
import { pollRequestOf, type WatchedApp } from './watched-app.ts';
import type { Wait, Wheel } from './wheel.ts';

/** An input that asks for a turn. */
export type TurnAsked = ObserveInput & { turn: TurnInput };

export const isTurn = (input: ObserveInput): input is TurnAsked => input.turn !== undefined;

/** What one turn needs. */
export interface TurnOptions {
  observe: Observe;
  apps: Pick<TargetAppReader, 'effectiveSpec' | 'find'>;
  wheel: Wheel;
  /** What its app says by itself. */
  subscriptions: Pick<Subscriptions, 'attend' | 'forget' | 'polled' | 'told'>;
  /** Bounds the polls that are under way at the same time. */
  places: Places;
  /** Name of this process, as `status.watchedBy` has it. */
  instance: string;
  tell: Tell;
  duePolls: Pick<DuePolls, 'at' | 'expect' | 'forget'>;
  log: Pick<Log, 'warning'>;
}

/** When a turn polls first: with its interval; at once where somebody else may have missed a poll; at once. */
export type FirstPoll = 'at once' | 'if late' | 'in time';

/** A turn that is held here. */
export interface Held {
  token: Uint8Array;
  over: AbortController;
  /** Its owner is another replica. */
  isLent: boolean;
  /** After how long it tells what the one before has led to. */
  tellAfterMs: number;
  /** Of the object as the turn has seen it. */
  version?: string;
  /** Resolves when it is let go, or is to stay after all; absent while nobody else is to have it. */
  leaving?: Promise<void>;
  /** What it waits for, or has waited for last. */
  waiting?: Wait;
}

/** What of an object makes its turn look at once when it changes. */
export const versionOf = (app: WatchedApp | undefined): string =>
  app === undefined ? '' : JSON.stringify([app.metadata.generation, pollRequestOf(app), isTerminating(app)]);

const again: Backoff = { firstMs: 250, longestMs: 10_000 };
/** How long to wait after so many failures in a row. */
export const againMs = (failures: number): number => spread(backoffMs(again, failures), Math.random());
/** For how long nobody may have polled what was somebody else's. */
const handOverMs = 20_000;

/** Polls of one TargetApp, until there is something to tell. */
export class Turn {
  readonly #input: TurnAsked;
  readonly #held: Held;
  readonly #options: TurnOptions;
  readonly #endsAt: number;
  readonly #telling: UnderWay | undefined;
  #isStopped: boolean;
  #first: FirstPoll;
  #intervalMs = 1_000;

  constructor(input: TurnAsked, held: Held, first: FirstPoll, options: TurnOptions) {
    this.#input = input;
    this.#held = held;
    this.#options = options;
    this.#first = first;
    const { lengthMs, until = Number.POSITIVE_INFINITY } = input.turn;
    this.#endsAt = Math.min(Date.now() + lengthMs, until);
    this.#isStopped = input.turn.stopped === true;
    this.#telling = input.turn.tell && options.tell(input.turn.tell, held.over.signal, held.tellAfterMs);
  }

  /**
   * What it has to tell; undefined when it is nobody's any more. A poll that fails is tried again after a while. It waits here and
   * nowhere deeper: what ten thousand keep in memory while they wait, and make anew for each wait, costs more than their polls.
   */
  async run(): Promise<Observation | undefined> {
    const { signal } = this.#held.over;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const due = await this.#nextDue();
        if (due > Date.now()) await this.#wait(due);
        if (signal.aborted) break;
        const told = await this.#poll(Math.min(due, Date.now()));
        if (told !== undefined) return told;
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        const { namespace, name: tapp } = this.#input.app;
        this.#options.log.warning('poll failed, retrying', { namespace, tapp, error });
        failures += 1;
        await this.#wait(Date.now() + againMs(failures));
      }
    }
    return undefined;
  }

  /** Does the poll that was due then; what it tells, if that ends the turn. */
  async #poll(due: number): Promise<Observation | undefined> {
    const { turn, ...asked } = this.#input;
    const { observe, places, subscriptions } = this.#options;
    const { signal } = this.#held.over;
    const poll = () => {
      subscriptions.polled(asked.app.uid);
      return observe({ ...asked, due }, signal, Number.POSITIVE_INFINITY);
    };
    const seen = await this.#inTime(due, () => places(asked.app.namespace, poll, signal));
    const told = subscriptions.told(asked, seen);
    if (signal.aborted) return undefined;
    if (told.unasked !== 'late') {
      this.#isStopped = told.unasked === 'stopped';
      this.#expect(nextTickOfPoll(asked.app.uid, this.#intervalMs, Date.now()), told.deleted);
    }
    if (!isNews(told, turn) && !this.#isToEnd()) return undefined;
    return { ...told, by: this.#options.instance, ...(this.#telling && { told: await this.#telling.end() }) };
  }

  /** When the next poll is due, which is now for an object that says something new. */
  async #nextDue(): Promise<number> {
    const app = await this.#options.apps.find(this.#input.app);
    this.#held.version = versionOf(app);
    if (app !== undefined) this.#intervalMs = this.#options.apps.effectiveSpec(app).plan.intervalMs;
    const isDue = app === undefined || this.#isNewer(app) || this.#isAsked(app) || this.#isToEnd();
    if (isDue || this.#mayBeLate(app)) return this.#expect(Date.now());
    return this.#expect(this.#nextAt(app));
  }

  /**
   * What a poll has seen, and that it is in time again where the workflow knows of the contrary. Of one that has been due for long
   * without having ended that is told, once; it is given up with the turn.
   */
  async #inTime(due: number, poll: () => Promise<Observation>): Promise<Observation> {
    const { overdue, turn } = this.#input;
    if (overdue) return { ...(await poll()), overdue: null };
    if (this.#isStopped) return poll();
    const limit = this.#options.wheel.wait(due + overdueAfterMs(this.#intervalMs));
    const late = limit.ended.then((): Observation => ({ ...turn.seen, unasked: 'late', overdue: { since: due } }));
    try {
      return await Promise.race([poll(), late]);
    } finally {
      limit.wake();
    }
  }

  /** Lets it be known when the next poll is due, whoever makes it. */
  #expect(at: number, isGone = false): number {
    const { duePolls } = this.#options;
    if (this.#held.over.signal.aborted) return at;
    if (this.#isStopped || isGone) duePolls.forget(this.#input.app.uid);
    else duePolls.expect(this.#input.app.uid, at);
    return at;
  }

  #wait(until: number): Promise<void> {
    const wait = this.#options.wheel.wait(until);
    this.#held.waiting = wait;
    if (this.#held.over.signal.aborted) wait.wake();
    return wait.ended;
  }

  /** Whether the next poll ends it, whatever that finds. */
  #isToEnd(): boolean {
    return Date.now() >= this.#endsAt || this.#telling?.isGivenUp === true;
  }

  #nextAt(app: WatchedApp): number {
    const now = Date.now();
    const { uid } = app.metadata;
    if (!this.#isStopped) return nextTickOfPoll(uid, this.#intervalMs, now);
    return Math.min(now + idleLookMs, this.#endsAt);
  }

  /** Whether a poll may have been due when nobody held the turn: the first one here does not wait then. */
  #mayBeLate(app: WatchedApp): boolean {
    const first = this.#first;
    this.#first = 'in time';
    if (first === 'in time' || this.#isStopped) return false;
    if (first === 'at once') return true;
    const now = Date.now();
    return now - (nextPollAt(app.metadata.uid, this.#intervalMs, now) - this.#intervalMs) < handOverMs;
  }

  /** Whether the app has asked for a poll by a message of its subscription. One that is stopped is not listened to. */
  #isAsked(app: WatchedApp): boolean {
    const { apps, subscriptions } = this.#options;
    const { uid } = app.metadata;
    if (!this.#isStopped && apps.effectiveSpec(app).plan.subscription !== undefined)
      return subscriptions.attend(uid, () => this.#held.waiting?.wake());
    subscriptions.forget(uid);
    return false;
  }

  /** Whether the object says something else than the workflow knows. */
  #isNewer(app: WatchedApp): boolean {
    const { plan } = this.#options.apps.effectiveSpec(app);
    return Object.keys(newsOf(app, plan, this.#input)).length > 0;
  }
}
