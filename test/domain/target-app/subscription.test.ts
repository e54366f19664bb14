import { describe, expect, it } from '@jest/globals';
import { failureOf } from '../../../src/domain/failure.ts';
import { applyObservation } from '../../../src/domain/target-app/apply-observation.ts';
import { type Memory, newMemory } from '../../../src/domain/target-app/memory.ts';
import { isNews, type Observation } from '../../../src/domain/target-app/observation.ts';
import { conditions } from '../../../src/domain/target-app/status-conditions.ts';
import { knownOf } from '../../../src/domain/target-app/subscription.ts';
import { planned, spec } from '../../support/target-app-manifest.ts';

const now = Date.parse('2026-01-01T00:00:00Z');
const planAt = (generation: number, of: object = { stateSubscription: { query: 'subscription { a }' } }) =>
  planned(spec({ ...of }), generation, { turnMs: 1 });
const failed = { failure: failureOf('HTTPStatus', 'app:80/graphql answered 404 on pod a', { about: '404' }) };

/** What a workflow makes of observations, one after the other. */
function outcomeOf(...told: Partial<Observation>[]) {
  let memory: Memory = newMemory();
  const events: string[] = [];
  for (const each of told) {
    const absorbed = applyObservation(memory, { matched: 1, ...each }, now);
    memory = absorbed.memory;
    events.push(...absorbed.drafts.map(({ type, reason, message }) => `${type} ${reason}: ${message}`));
  }
  return { known: knownOf(memory), events, condition: conditions['Subscribed']?.(memory, now) };
}

const event =
  'Warning SubscriptionFailed: app:80/graphql answered 404 on pod a; polling goes on, and the subscription is tried again';

describe('what a workflow is told of a subscription', () => {
  it('ends a turn', () => {
    expect(isNews({ matched: 1, subscription: {} }, { seen: { matched: 1 } })).toBe(true);
  });

  it.each([
    { what: 'nothing so far', told: [], known: undefined, status: 'Unknown', reason: 'Connecting', events: [] },
    { what: 'that it is kept', told: [{}], known: 'kept', status: 'True', reason: 'Subscribed', events: [] },
    { what: 'a failure', told: [failed], known: 'failed', status: 'False', reason: 'HTTPStatus', events: [event] },
    {
      what: 'that it works after a failure',
      told: [failed, {}],
      known: 'recovered',
      status: 'True',
      reason: 'Subscribed',
      events: [event],
    },
    {
      what: 'another failure, which is no Event any more',
      told: [{}, failed, {}, failed],
      known: 'failed',
      status: 'False',
      reason: 'HTTPStatus',
      events: [event],
    },
  ])('is remembered, and shown in the status: $what', ({ told, known, status, reason, events }) => {
    const all = [{ plan: planAt(1) }, ...told.map((subscription) => ({ subscription }))];
    expect(outcomeOf(...all)).toMatchObject({ known, events, condition: { status, reason } });
  });

  it('is of one generation of the spec: the next one begins anew, and is worth an Event of its own', () => {
    const edited = [{ plan: planAt(1) }, { subscription: failed }, { plan: planAt(2) }];
    expect(outcomeOf(...edited)).toMatchObject({ known: undefined, condition: { status: 'Unknown' } });
    expect(outcomeOf(...edited, { subscription: failed }).events).toEqual([event, event]);
  });

  it('is no condition without a subscription', () => {
    expect(outcomeOf({ plan: planAt(1, {}) }).condition).toBeUndefined();
  });
});
