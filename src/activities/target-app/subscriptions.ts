import type { Subscriber } from '../../clients/graphql/subscription/subscriber.ts';
import { createGate, type Gate } from '../../clients/http/gate.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Observation, ObserveInput } from '../../domain/target-app/observation.ts';
import { KeptSubscription, type KeptSubscriptionOptions } from './kept-subscription.ts';
import type { SubscriptionTarget } from './subscription-targets.ts';

export interface SubscriptionsOptions extends Pick<KeptSubscriptionOptions, 'again' | 'steadyMs' | 'subscriber'> {
  subscriber: Subscriber;
  /** Kept at the same time. */
  maxSubscriptions: number;
  /** Milliseconds between two polls that messages make, at least. */
  betweenPollsMs?: number;
  /** Milliseconds that those of a TargetApp outlast its last turn. */
  lingerMs?: number;
}

type AppOptions = SubscriptionsOptions & Pick<KeptSubscriptionOptions, 'place'>;

/** The subscriptions of one TargetApp, and whether what was heard of them asks for a poll. */
class AppSubscriptions {
  readonly #options: AppOptions;
  readonly #kept = new Map<string, KeptSubscription>();
  /** Nobody has said yet whom to listen to: a poll does. */
  #isDue = true;
  #dueAgain: NodeJS.Timeout | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Ends the wait of the turn that is held; absent while none is. */
  wake: (() => void) | undefined;
  closing: NodeJS.Timeout | undefined;

  constructor(options: AppOptions) {
    this.#options = options;
  }

  get isDue(): boolean {
    return this.#isDue;
  }

  get isKept(): boolean {
    return this.#kept.size > 0 && [...this.#kept.values()].every(({ isKept }) => isKept);
  }

  /** Why one of them cannot be kept; of those whose polls are answered where the failure may be one of the app as a whole. */
  failure(isAnswering: (subject: string) => boolean): Failure | undefined {
    for (const { failure, target } of this.#kept.values()) {
      if (failure === undefined || (failure.kind === 'unreachable' && !isAnswering(target.subject))) continue;
      const on = target.pod === undefined ? '' : ` on pod ${target.pod}`;
      return { ...failure, message: `${failure.message}${on}` };
    }
    return undefined;
  }

  /** Keeps these, and no others. */
  aim(targets: SubscriptionTarget[]): void {
    const wanted = new Map(targets.map((target) => [target.key, target]));
    for (const [key, kept] of this.#kept) {
      if (wanted.has(key)) continue;
      kept.close();
      this.#kept.delete(key);
    }
    const hear = () => this.#hear();
    for (const [key, target] of wanted)
      if (!this.#kept.has(key))
        this.#kept.set(key, new KeptSubscription(target, { ...this.#options, heard: hear, changed: hear }));
  }

  /** A poll begins: it sees what was heard so far. */
  polled(): void {
    if (this.#isDue) this.#askedAt = performance.now();
    this.#isDue = false;
  }

  close(): void {
    for (const kept of this.#kept.values()) kept.close();
    this.#kept.clear();
    clearTimeout(this.#dueAgain);
    clearTimeout(this.closing);
    this.wake = undefined;
  }

  /** One poll for all that is heard until it begins, and a second between two. */
  #hear(): void {
    if (this.#isDue || this.#dueAgain !== undefined) return;
    const waitMs = this.#askedAt + (this.#options.betweenPollsMs ?? 1_000) - performance.now();
    if (waitMs <= 0) this.#ask();
    else this.#dueAgain = setTimeout(() => this.#ask(), waitMs).unref();
  }

  #ask(): void {
    this.#dueAgain = undefined;
    this.#isDue = true;
    this.wake?.();
  }
}

/** Whether the last poll of a subject got its state. */
const isAnswering = (subject: string, { known }: ObserveInput, { readings = [] }: Observation): boolean => {
  const reading = readings.find((each) => each.subject === subject);
  return reading === undefined ? !(known[subject] ?? '').includes('!') : reading.failure === undefined;
};

/**
 * The subscriptions of the TargetApps whose turns are held in this process, by uid. They are kept from turn to turn, and outlast
 * the last one for a while.
 */
export class Subscriptions {
  readonly #options: SubscriptionsOptions;
  readonly #places: Gate;
  readonly #apps = new Map<string, AppSubscriptions>();

  constructor(options: SubscriptionsOptions) {
    this.#options = options;
    this.#places = createGate(options.maxSubscriptions);
  }

  /** A turn that waits: what is heard wakes it. Answers whether it is to poll at once. */
  attend(uid: string, wake: () => void): boolean {
    const app = this.#apps.get(uid) ?? this.#begin(uid);
    clearTimeout(app.closing);
    app.wake = wake;
    return app.isDue;
  }

  /** A poll of a turn begins. */
  polled(uid: string): void {
    this.#apps.get(uid)?.polled();
  }

  /** Whom to listen to from now on; nobody is listened to without a turn. */
  aim(uid: string, targets: SubscriptionTarget[]): void {
    this.#apps.get(uid)?.aim(targets);
  }

  /** What a poll tells, with the news of the subscriptions. */
  told(input: ObserveInput, told: Observation): Observation {
    const app = this.#apps.get(input.app.uid);
    if (app === undefined || told.unasked !== undefined || told.deleted) return told;
    const known = told.plan === undefined ? input.subscription : undefined;
    const failure = app.failure((subject) => isAnswering(subject, input, told));
    if (failure !== undefined) return known === 'failed' ? told : { ...told, subscription: { failure } };
    const isNews = app.isKept && (known === undefined || known === 'failed');
    return isNews ? { ...told, subscription: {} } : told;
  }

  /** The turn is over: what is heard from now on is for the next one, if it comes soon. */
  release(uid: string): void {
    const app = this.#apps.get(uid);
    if (app === undefined) return;
    app.wake = undefined;
    clearTimeout(app.closing);
    app.closing = setTimeout(() => this.forget(uid), this.#options.lingerMs ?? 10_000).unref();
  }

  /** Nobody wants to know any more. */
  forget(uid: string): void {
    this.#apps.get(uid)?.close();
    this.#apps.delete(uid);
  }

  #begin(uid: string): AppSubscriptions {
    const place = () => this.#places.tryEnter('subscriptions');
    const app = new AppSubscriptions({ ...this.#options, place });
    this.#apps.set(uid, app);
    return app;
  }
}
