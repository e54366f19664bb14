import { setTimeout as sleep } from 'node:timers/promises';
import type { Subscriber } from '../../clients/graphql/subscription/subscriber.ts';
import type { Leave } from '../../clients/http/gate.ts';
import { type Backoff, backoffMs, spread } from '../../domain/backoff.ts';
import { type Failure, failureOf } from '../../domain/failure.ts';
import type { SubscriptionTarget } from './subscription-targets.ts';

export interface KeptSubscriptionOptions {
  subscriber: Subscriber;
  /** Takes one of the places for subscriptions of this replica; undefined when there is none. */
  place(): Leave | undefined;
  /** Something has happened at the app, or may have gone by unheard. */
  heard(): void;
  /** How the subscription fares has changed. */
  changed(): void;
  /** How waits grow between attempts. */
  again?: Backoff;
  /** Milliseconds that a subscription has to last before it counts as one that works. */
  steadyMs?: number;
}

const defaultAgain: Backoff = { firstMs: 1_000, longestMs: 60_000 };
/** From this failure in a row on one that may pass is worth telling. */
const manyFailures = 5;

const noPlace = (): Failure =>
  failureOf('Throttled', 'the operator keeps no more subscriptions at the same time (KCO_MAX_SUBSCRIPTIONS)');

/** Keeps one subscription: connects, and again after every end, with growing waits, until it is closed. */
export class KeptSubscription {
  readonly target: SubscriptionTarget;
  readonly #options: KeptSubscriptionOptions;
  readonly #over = new AbortController();
  #failures = 0;
  /** Whether a failure was worth telling before: then one refusal is no news any more. */
  #hasFailed = false;
  #standing: 'failed' | 'kept' | 'unknown' = 'unknown';
  #failure: Failure | undefined;

  constructor(target: SubscriptionTarget, options: KeptSubscriptionOptions) {
    this.target = target;
    this.#options = options;
    void this.#run();
  }

  get isKept(): boolean {
    return this.#standing === 'kept';
  }

  /** Why it cannot be kept, as far as that is worth telling. */
  get failure(): Failure | undefined {
    return this.#standing === 'failed' ? this.#failure : undefined;
  }

  close(): void {
    this.#over.abort();
  }

  async #run(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const failure = await this.#attempt();
      if (failure === undefined || signal.aborted) return;
      this.#failed(failure);
      const waitMs = spread(backoffMs(this.#options.again ?? defaultAgain, this.#failures), Math.random());
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #attempt(): Promise<Failure | undefined> {
    const { subscriber, place, heard, steadyMs = 10_000 } = this.#options;
    const leave = place();
    if (leave === undefined) return noPlace();
    let steady: NodeJS.Timeout | undefined;
    const accepted = (): void => {
      steady = setTimeout(() => this.#worked(), steadyMs).unref();
      // What changed before was not heard.
      heard();
    };
    try {
      return await subscriber.follow({ ...this.target.request, signal: this.#over.signal }, { accepted, heard });
    } finally {
      clearTimeout(steady);
      leave();
    }
  }

  #worked(): void {
    this.#failures = 0;
    this.#stand('kept');
  }

  #failed(failure: Failure): void {
    this.#failures += 1;
    this.#failure = failure;
    const isRefusal = failure.kind === 'failing' || failure.class === 'EgressDenied';
    if ((!isRefusal || this.#hasFailed) && this.#failures < manyFailures) return;
    this.#hasFailed = true;
    this.#stand('failed');
  }

  #stand(standing: 'failed' | 'kept'): void {
    if (this.#standing === standing) return;
    this.#standing = standing;
    this.#options.changed();
  }
}
