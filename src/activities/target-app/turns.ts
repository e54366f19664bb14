import { setTimeout as sleep } from 'node:timers/promises';
import { type OpenTurns, turnReleased } from '../../clients/temporal/open-turns.ts';
import { type Backoff, backoffMs, spread } from '../../domain/backoff.ts';
import { nextTickOfPoll } from '../../domain/schedule.ts';
import { idleLookMs } from '../../domain/target-app/next-turn-at.ts';
import { isNews, type Observation, type ObserveInput, type TurnInput } from '../../domain/target-app/observation.ts';
import type { Telling, Told } from '../../domain/telling.ts';
import type { Log } from '../../telemetry/logger.ts';
import type { HeldTurns } from '../held-turns.ts';
import type { Ownership } from '../ownership.ts';
import type { Places } from '../places.ts';
import type { TellAtOnce } from '../tell-at-once.ts';
import { isTerminating } from '../watched-object.ts';
import { newsOf, type Observe } from './observe.ts';
import type { TargetAppReader } from './reader.ts';
import type { Subscriptions } from './subscriptions.ts';
import { pollRequestOf, type WatchedApp } from './watched-app.ts';
import type { Wheel } from './wheel.ts';

/** An input that asks for a turn. */
export type TurnAsked = ObserveInput & { turn: TurnInput };

export const isTurn = (input: ObserveInput): input is TurnAsked => input.turn !== undefined;

/** The turns of this process: each polls one TargetApp until there is something to tell. */
export interface Turns {
  /**
   * Takes a turn and polls until something differs from what the workflow knows, until time alone may change a verdict, or until
   * the turn is over; then it ends the activity from outside, so it takes no slot of a worker. A second turn of the same TargetApp
   * takes the place of the first, which nobody waits for any more. Throws when another replica is to have it.
   *
   * @param token of the activity's attempt
   */
  hold(input: TurnAsked, token: Uint8Array): void;
  /** Tells of a change of an object: what it asks for is looked at by its turn, if there is one here. */
  changed(app: WatchedApp): void;
  /** Lets go of the turns of objects that another replica looks after now. */
  letGo(): Promise<void>;
  /** Ends all turns, and those to come, and leaves them open: this process ends, and the next one takes them over. */
  end(): void;
}

export interface TurnsOptions {
  observe: Observe;
  apps: Pick<TargetAppReader, 'effectiveSpec' | 'find'>;
  wheel: Wheel;
  /** What their apps say by themselves. */
  subscriptions: Pick<Subscriptions, 'attend' | 'forget' | 'polled' | 'release' | 'told'>;
  /** Bounds the polls that are under way at the same time. */
  places: Places;
  openTurns: OpenTurns;
  /** Told what is held here. */
  heldTurns: HeldTurns;
  owns: Ownership['owns'];
  /** Name of this process, as `status.watchedBy` has it. */
  instance: string;
  tellAtOnce: TellAtOnce;
  log: Pick<Log, 'warning'>;
}

/** A turn that is held here. */
interface Held {
  token: Uint8Array;
  over: AbortController;
  /** Of the object as the turn has seen it. */
  version?: string;
  wake(): void;
}

/** What of an object makes its turn look at once when it changes. */
const versionOf = (app: WatchedApp | undefined): string =>
  app === undefined ? '' : JSON.stringify([app.metadata.generation, pollRequestOf(app), isTerminating(app)]);

const again: Backoff = { firstMs: 250, longestMs: 10_000 };
/** How long to wait after so many failures in a row. */
const againMs = (failures: number): number => spread(backoffMs(again, failures), Math.random());

class Turn {
  readonly #input: TurnAsked;
  readonly #held: Held;
  readonly #options: TurnsOptions;
  #endsAt: number;
  readonly #telling: Promise<Told> | undefined;
  #isStopped: boolean;

  constructor(input: TurnAsked, held: Held, options: TurnsOptions) {
    this.#input = input;
    this.#held = held;
    this.#options = options;
    const { lengthMs, until = Number.POSITIVE_INFINITY } = input.turn;
    this.#endsAt = Math.min(Date.now() + lengthMs, until);
    this.#isStopped = input.turn.stopped === true;
    this.#telling = input.turn.tell && this.#tell(input.turn.tell);
  }

  /** What is not taken at once is for others to tell, so the workflow is to know. */
  async #tell(telling: Telling): Promise<Told> {
    const told = await this.#options.tellAtOnce(telling);
    if (told.left !== undefined || (telling.status !== undefined && told.status === undefined)) {
      this.#endsAt = 0;
      this.#held.wake();
    }
    return told;
  }

  /** What it has to tell; undefined when it is nobody's any more. A poll that fails is tried again after a while. */
  async run(): Promise<Observation | undefined> {
    const { signal } = this.#held.over;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const told = await this.#next();
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

  /** Waits for the next poll and does it; what it tells, if that ends the turn. */
  async #next(): Promise<Observation | undefined> {
    const { turn, ...asked } = this.#input;
    const { observe, places, subscriptions } = this.#options;
    const { signal } = this.#held.over;
    const due = await this.#untilDue();
    if (signal.aborted) return undefined;
    const poll = () => {
      subscriptions.polled(asked.app.uid);
      return observe({ ...asked, due }, signal, Number.POSITIVE_INFINITY);
    };
    const told = subscriptions.told(asked, await places(asked.app.namespace, poll, signal));
    if (signal.aborted) return undefined;
    this.#isStopped = told.unasked === 'stopped';
    if (!isNews(told, turn) && Date.now() < this.#endsAt) return undefined;
    return { ...told, by: this.#options.instance, ...(this.#telling && { told: await this.#telling }) };
  }

  /** Waits for the next poll; resolves with when it was due, which is now for an object that says something new. */
  async #untilDue(): Promise<number> {
    const app = await this.#options.apps.find(this.#input.app);
    this.#held.version = versionOf(app);
    if (app === undefined || this.#isNewer(app) || this.#isAsked(app) || Date.now() >= this.#endsAt) return Date.now();
    const due = this.#nextAt(app);
    await this.#wait(due);
    return Math.min(due, Date.now());
  }

  async #wait(until: number): Promise<void> {
    const { ended, wake } = this.#options.wheel.wait(until);
    this.#held.wake = wake;
    if (this.#held.over.signal.aborted) wake();
    await ended;
  }

  #nextAt(app: WatchedApp): number {
    const now = Date.now();
    const { uid } = app.metadata;
    if (!this.#isStopped) return nextTickOfPoll(uid, this.#options.apps.effectiveSpec(app).plan.intervalMs, now);
    return Math.min(now + idleLookMs, this.#endsAt);
  }

  /** Whether the app has asked for a poll by a message of its subscription. One that is stopped is not listened to. */
  #isAsked(app: WatchedApp): boolean {
    const { apps, subscriptions } = this.#options;
    const { uid } = app.metadata;
    if (!this.#isStopped && apps.effectiveSpec(app).plan.subscription !== undefined)
      return subscriptions.attend(uid, () => this.#held.wake());
    subscriptions.forget(uid);
    return false;
  }

  /** Whether the object says something else than the workflow knows. */
  #isNewer(app: WatchedApp): boolean {
    const { plan } = this.#options.apps.effectiveSpec(app);
    return Object.keys(newsOf(app, plan, this.#input)).length > 0;
  }
}

/** Does it until Temporal has taken it, however long it is away. */
async function untilTaken(what: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      await what();
      return;
    } catch {
      await sleep(againMs(failures), undefined, { signal }).catch(() => undefined);
    }
  }
}

function end(its: Held): void {
  its.over.abort();
  its.wake();
}

/** After how long a turn that another replica is to have comes again: its owner may be one of several. */
const elsewhereMs = 100;

/** The turns that are held here, by the uid of their TargetApp. */
class TurnsHere implements Turns {
  readonly #options: TurnsOptions;
  readonly #held = new Map<string, Held>();
  #isEnding = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  hold(input: TurnAsked, token: Uint8Array): void {
    const { uid } = input.app;
    if (this.#isEnding || !this.#options.owns(uid)) throw turnReleased(elsewhereMs);
    const before = this.#held.get(uid);
    if (before !== undefined) end(before);
    const its: Held = { token, over: new AbortController(), wake: () => undefined };
    this.#held.set(uid, its);
    this.#options.heldTurns.add(uid);
    void this.#run(input, its);
  }

  changed(app: WatchedApp): void {
    const its = this.#held.get(app.metadata.uid);
    if (its?.version !== undefined && its.version !== versionOf(app)) its.wake();
  }

  async letGo(): Promise<void> {
    const lost = [...this.#held].filter(([uid]) => !this.#options.owns(uid));
    await Promise.all(lost.map((one) => this.#release(...one)));
  }

  end(): void {
    this.#isEnding = true;
    for (const its of this.#held.values()) end(its);
    this.#held.clear();
  }

  async #run(input: TurnAsked, its: Held): Promise<void> {
    const { openTurns } = this.#options;
    const told = await new Turn(input, its, this.#options).run();
    if (this.#held.get(input.app.uid) === its) this.#options.subscriptions.release(input.app.uid);
    if (told !== undefined) await untilTaken(() => openTurns.complete(its.token, told), its.over.signal);
    if (this.#held.get(input.app.uid) === its) this.#drop(input.app.uid);
  }

  async #release(uid: string, its: Held): Promise<void> {
    this.#drop(uid);
    this.#options.subscriptions.forget(uid);
    end(its);
    // What cannot be told is found out by the next owner, who holds no turn of an object of its own.
    await this.#options.openTurns.release(its.token).catch(() => undefined);
  }

  #drop(uid: string): void {
    this.#held.delete(uid);
    this.#options.heldTurns.remove(uid);
  }
}

export const createTurns = (options: TurnsOptions): Turns => new TurnsHere(options);
