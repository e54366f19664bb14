import { setTimeout as sleep } from 'node:timers/promises';
import { type OpenTurns, turnReleased } from '../../clients/temporal/open-turns.ts';
import { tickMs } from '../../domain/schedule.ts';
import { isMereFailure } from '../../domain/target-app/observation.ts';
import type { HeldTurns } from '../held-turns.ts';
import type { Ownership } from '../ownership.ts';
import { createPlaces, type Places } from '../places.ts';
import type { Subscriptions } from './subscriptions.ts';
import { againMs, type FirstPoll, type Held, Turn, type TurnAsked, type TurnOptions, versionOf } from './turn.ts';
import type { WatchedApp } from './watched-app.ts';

/** The turns of this process: each polls one TargetApp until there is something to tell. */
export interface Turns {
  /**
   * Takes a turn and polls until something differs from what the workflow knows, until time alone may change a verdict, or until
   * the turn is over; then it ends the activity from outside, so it takes no slot of a worker. A second turn of the same TargetApp
   * takes the place of the first, which nobody waits for any more. One that another replica is to have is held for a moment only, and
   * polled until then: whoever Temporal gives it to next comes a second later. Throws when this process takes no part.
   *
   * @param token of the activity's attempt
   * @param elsewhereMs for how long others have had it; absent where nobody had it before
   */
  hold(input: TurnAsked, token: Uint8Array, elsewhereMs?: number): void;
  /** Tells of a change of an object: what it asks for is looked at by its turn, if there is one here. */
  changed(app: WatchedApp): void;
  /**
   * Lets go of the turns of objects that another replica looks after now, each when no poll of it is due soon.
   *
   * @param isHandedOver false: the others have found this one silent and taken what it held, which is nobody's any more
   */
  letGo(isHandedOver: boolean): Promise<void>;
  /** Ends all turns, and those to come, and leaves them open: this process ends, and the next one takes them over. */
  end(): void;
}

export interface TurnsOptions extends TurnOptions {
  subscriptions: Pick<Subscriptions, 'attend' | 'forget' | 'polled' | 'release' | 'told'>;
  openTurns: OpenTurns;
  /** Told what is held here. */
  heldTurns: HeldTurns;
  /** Uids of the TargetApps that have changed since their workflow's first observation: they are polled at once. */
  changed: Pick<Set<string>, 'delete'>;
  ownership: Pick<Ownership, 'owns' | 'takesPart'>;
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

/** One for all: a reason of its own notes its call stack, at each change of an app. */
const over = new Error('the turn is over');

function end(its: Held): void {
  its.over.abort(over);
  its.waiting?.wake();
}

/** After how long a turn comes again that came to a process which takes no part. */
const refusedMs = 100;
/**
 * How long a turn is held for its owner. Temporal gives it to anybody each time, a second or so after it was let go, so that it may
 * take several times until it comes to the owner.
 */
const lentMs = (): number => 2_000 + Math.random() * 2_000;

/**
 * Where many apps fail at once, telling all of it at once (some 30 ms of CPU each) would make the polls of the others late. So few of
 * a namespace are told at a time, twice as many of all; one that is told keeps its place until its workflow has dealt with it, for so long at most.
 */
const failuresAtOnce = 2;
const dealtWithMs = 2_000;

/** Nobody may have a turn for so long after it was let go. */
const onItsWayMs = 3_000;
/**
 * What a turn costs on its way, some 15 ms of CPU here and there, would make those late that are polled: they go one after the other,
 * all of them within the time that a process has to end.
 */
const paceMs = 15;
const allGoneMs = 15_000;

/** A turn that others have had for longer has told all that it had to, but for an accident: there is time to tell it again. */
const toldMs = 30_000;
const tellAgainMs = 30_000;
const tellAfterMs = (elsewhereMs = 0): number => (elsewhereMs < toldMs ? 0 : Math.random() * tellAgainMs);

/** The turns that are held here, by the uid of their TargetApp. */
class TurnsHere implements Turns {
  readonly #options: TurnsOptions;
  readonly #held = new Map<string, Held>();
  readonly #failures: Places = createPlaces(2 * failuresAtOnce);
  #isEnding = false;
  /** When the last one of those leaves that are to leave. */
  #leavesAt = 0;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  hold(input: TurnAsked, token: Uint8Array, elsewhereMs?: number): void {
    const { uid } = input.app;
    const { changed, heldTurns, ownership } = this.#options;
    const { owns, takesPart } = ownership;
    if (this.#isEnding || !takesPart()) throw turnReleased(refusedMs);
    const before = this.#held.get(uid);
    if (before !== undefined) end(before);
    const its: Held = {
      token,
      over: new AbortController(),
      isLent: !owns(uid),
      tellAfterMs: tellAfterMs(elsewhereMs),
    };
    this.#held.set(uid, its);
    heldTurns.add(uid);
    const isDue = changed.delete(uid) || this.#options.duePolls.at(uid) <= Date.now();
    void this.#run(input, its, isDue ? 'at once' : elsewhereMs === undefined ? 'in time' : 'if late');
    if (its.isLent) void this.#giveBack(uid, its);
  }

  changed(app: WatchedApp): void {
    const its = this.#held.get(app.metadata.uid);
    if (its?.version !== undefined && its.version !== versionOf(app)) its.waiting?.wake();
  }

  async letGo(isHandedOver: boolean): Promise<void> {
    const { owns, takesPart } = this.#options.ownership;
    if (!isHandedOver && !takesPart()) {
      for (const [uid, its] of this.#held) this.#forget(uid, its);
      return;
    }
    // What is lent goes back by itself.
    const lost = [...this.#held].filter(([uid, { isLent }]) => !owns(uid) && !(isLent && takesPart()));
    const afterMs = Math.min(paceMs, allGoneMs / lost.length);
    for (const [uid, its] of lost) its.leaving ??= this.#leave(uid, its, afterMs);
    await Promise.all(lost.map(([, its]) => its.leaving));
  }

  end(): void {
    this.#isEnding = true;
    for (const its of this.#held.values()) end(its);
    this.#held.clear();
  }

  async #run(input: TurnAsked, its: Held, first: FirstPoll): Promise<void> {
    const { openTurns } = this.#options;
    const told = await new Turn(input, its, first, this.#options).run();
    if (this.#held.get(input.app.uid) === its) this.#options.subscriptions.release(input.app.uid);
    const complete = async (): Promise<void> => {
      if (told !== undefined) await untilTaken(() => openTurns.complete(its.token, told), its.over.signal);
      // A poll that has not ended by now is nobody's.
      its.over.abort(over);
      if (this.#held.get(input.app.uid) === its) this.#drop(input.app.uid);
    };
    if (told === undefined || !isMereFailure(told)) await complete();
    else await this.#inTurn(input, complete, its.over.signal);
  }

  /** A failure that is told makes room for the next one when its workflow has dealt with it. */
  async #inTurn({ app }: TurnAsked, complete: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const tell = async (): Promise<void> => {
      await complete();
      await this.#options.heldTurns.heldWithin(app.uid, dealtWithMs);
    };
    // Aborted: somebody else has the turn, and finds the same.
    await this.#failures(app.namespace, tell, signal).catch(() => undefined);
  }

  async #giveBack(uid: string, its: Held): Promise<void> {
    await this.#options.wheel.wait(Date.now() + lentMs()).ended;
    if (this.#held.get(uid) !== its) return;
    its.isLent = !this.#options.ownership.owns(uid);
    if (its.isLent) await this.#releaseAfterPoll(uid, its);
  }

  async #leave(uid: string, its: Held, afterMs: number): Promise<void> {
    this.#leavesAt = Math.max(Date.now(), this.#leavesAt + afterMs);
    await this.#options.wheel.wait(this.#leavesAt).ended;
    await this.#releaseAfterPoll(uid, its);
    delete its.leaving;
  }

  /** What is due before anybody else can have the turn is polled here, and the turn let go then: unless it belongs here by then. */
  async #releaseAfterPoll(uid: string, its: Held): Promise<void> {
    const { duePolls, ownership, wheel } = this.#options;
    const due = duePolls.at(uid);
    const isSoon = due < Date.now() + onItsWayMs;
    // One that takes as long as that is begun anew elsewhere.
    const isUnderWay = () => isSoon && duePolls.at(uid) === due && Date.now() < due + onItsWayMs;
    while (isUnderWay()) await wheel.wait(Math.max(due, Date.now()) + tickMs).ended;
    if (this.#held.get(uid) !== its) return;
    its.isLent = false;
    if (!ownership.owns(uid)) await this.#release(uid, its);
  }

  async #release(uid: string, its: Held): Promise<void> {
    this.#forget(uid, its);
    // What cannot be told is found out by the next owner, who holds no turn of an object of its own.
    await this.#options.openTurns.release(its.token).catch(() => undefined);
  }

  #forget(uid: string, its: Held): void {
    this.#drop(uid);
    this.#options.subscriptions.forget(uid);
    this.#options.duePolls.forget(uid);
    end(its);
  }

  #drop(uid: string): void {
    this.#held.delete(uid);
    this.#options.heldTurns.remove(uid);
  }
}

export const createTurns = (options: TurnsOptions): Turns => new TurnsHere(options);
