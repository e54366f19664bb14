import { type Failure, failureOf } from '../../../domain/failure.ts';
import type { JsonObject } from '../../../domain/json.ts';
import { secondsOf } from '../../../domain/seconds.ts';
import { addressOf, sanitize } from '../../http/sanitize.ts';

/** The protocols of GraphQL subscriptions that are spoken. */
export type SubscriptionProtocol = 'graphql-sse' | 'graphql-transport-ws';

/** One subscription at one endpoint. */
export interface SubscriptionRequest {
  protocol: SubscriptionProtocol;
  /** Absolute http(s) URL of the endpoint. */
  url: string;
  /** The text of exactly one subscription operation. */
  document: string;
  variables?: JsonObject;
  /** Milliseconds from connecting until the server has accepted it. */
  deadlineMs: number;
  /** When it aborts, the subscription is over. */
  signal: AbortSignal;
}

/** Is called while a subscription lasts. What a message says is nobody's business. */
export interface SubscriptionListener {
  /** The server has taken the subscription, as far as its protocol says so. */
  accepted(): void;
  /** There was a message. */
  heard(): void;
}

const isErrors = (errors: unknown): errors is { message?: unknown }[] => Array.isArray(errors) && errors.length > 0;

/** What the first of some GraphQL errors says. */
const textOf = ([first]: readonly { message?: unknown }[]): string =>
  typeof first?.message === 'string' && first.message.trim() !== ''
    ? sanitize(first.message)
    : 'an error without a message';

/** One subscription from its first byte to whatever ends it, in either protocol. It ends once. */
export class Attempt {
  /** Why it is over; undefined when its own signal said so. */
  readonly over: Promise<Failure | undefined>;
  readonly #end: (failure: Failure | undefined) => void;
  readonly #request: SubscriptionRequest;
  readonly #listener: SubscriptionListener;
  readonly #deadline: NodeJS.Timeout;
  #isOver = false;
  /** What the last message said of errors, when it had no data. */
  #errors: readonly { message?: unknown }[] = [];

  constructor(request: SubscriptionRequest, listener: SubscriptionListener) {
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    this.over = promise;
    this.#end = resolve;
    this.#request = request;
    this.#listener = listener;
    const late = `did not accept the subscription within ${secondsOf(request.deadlineMs)} s`;
    this.#deadline = setTimeout(() => this.fail(failureOf('Timeout', `${this.address} ${late}`)), request.deadlineMs);
    request.signal.addEventListener('abort', this.#abort);
    if (request.signal.aborted) this.#abort();
  }

  get address(): string {
    return addressOf(this.#request.url);
  }

  accepted(): void {
    clearTimeout(this.#deadline);
    if (!this.#isOver) this.#listener.accepted();
  }

  /** A result has come: of which only counts whether there is one. */
  heard({ data, errors }: { data?: unknown; errors?: unknown }): void {
    if (this.#isOver) return;
    this.#errors = (data ?? null) === null && isErrors(errors) ? errors : [];
    if (this.#errors.length === 0) this.#listener.heard();
  }

  /** The server has said that nothing more will come. After errors alone it has refused. */
  completed(): void {
    if (this.#errors.length > 0) this.refused(this.#errors);
    else this.fail(failureOf('ConnectFailed', `${this.address} completed the subscription`, { about: 'completed' }));
  }

  refused(errors: readonly { message?: unknown }[]): void {
    this.fail(failureOf('GraphQLError', `${this.address} refused the subscription: ${textOf(errors)}`));
  }

  fail(failure: Failure): void {
    this.#finish(failure);
  }

  readonly #abort = (): void => this.#finish(undefined);

  #finish(failure: Failure | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#deadline);
    this.#request.signal.removeEventListener('abort', this.#abort);
    this.#end(failure);
  }
}

export const notSpoken = (attempt: Attempt, how: string): Failure =>
  failureOf('NotAGraphQLResponse', `${attempt.address} ${how}`);
