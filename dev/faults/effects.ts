import type { RecordedEvent } from '../../test/support/recorder.ts';
import type { Delivery } from '../../test/support/webhook-receiver.ts';

/** An app says something new. */
export interface Change {
  name: string;
  address: string;
  /** No other change is to the same. */
  to: number;
  /** Epoch milliseconds. */
  at: number;
}

/** What came of the changes. */
export interface EffectsTally {
  changes: number;
  /** Events and webhooks that are missing, and those that came more often than once; a webhook counts by its id. */
  lost: number;
  doubled: number;
}

/** What the API server and the receiver of the webhooks have been told. */
export interface Told {
  events(): Pick<RecordedEvent, 'count' | 'involvedObject' | 'reason'>[];
  /** For a path, by default for all. */
  deliveries(path?: string): Pick<Delivery, 'at' | 'body' | 'headers'>[];
}

/** The Events that each change is to lead to, once, beside one webhook. */
const reasons = ['StateChanged', 'TriggerFired', 'ActionSucceeded'];

const add = (counts: Map<string, number>, key: string, count: number): void =>
  void counts.set(key, (counts.get(key) ?? 0) + count);

/** Compares what was told with how the apps have changed. */
export class Effects {
  readonly #told: Told;
  #expected: Change[] = [];
  #before = new Map<string, number>();

  constructor(told: Told) {
    this.#told = told;
  }

  expect(change: Change): void {
    this.#expected.push(change);
  }

  /** What was expected so far is over: counts anew. */
  begin(): void {
    this.#expected = [];
    this.#before = this.#counts();
  }

  get changes(): readonly Change[] {
    return this.#expected;
  }

  tally(): EffectsTally {
    const counts = this.#counts();
    for (const [key, count] of this.#before) add(counts, key, -count);
    const due = new Map<string, number>();
    for (const { name, to } of this.#expected) {
      add(due, `webhook ${to}`, 1);
      for (const reason of reasons) add(due, `${reason} ${name}`, 1);
    }
    const tally = { changes: this.#expected.length, lost: 0, doubled: 0 };
    for (const key of new Set([...due.keys(), ...counts.keys()])) {
      const surplus = (counts.get(key) ?? 0) - (due.get(key) ?? 0);
      if (surplus > 0) tally.doubled += surplus;
      else tally.lost -= surplus;
    }
    return tally;
  }

  /** When the webhook of a change came first. */
  calledAt({ name, to }: Change): number | undefined {
    const body = JSON.stringify({ change: to });
    return this.#told.deliveries(`/${name}`).find((delivery) => delivery.body === body)?.at;
  }

  /** How often each was told, or called under another id. */
  #counts(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { reason, count, involvedObject } of this.#told.events())
      if (reasons.includes(reason)) add(counts, `${reason} ${involvedObject.name}`, count);
    const ids = new Map(this.#told.deliveries().map(({ headers, body }) => [String(headers['idempotency-key']), body]));
    // One that was cut off names no change: it counts when it is not repeated.
    for (const body of ids.values()) add(counts, `webhook ${/"change":(\d+)/.exec(body)?.[1]}`, 1);
    return counts;
  }
}
