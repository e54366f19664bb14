import type { EventDraft } from '../events.ts';
import { type ConditionNow, condition } from '../status-conditions.ts';
import type { CompiledSpec } from './compiled-spec.ts';
import type { Memory, SubscriptionMemory } from './memory.ts';
import type { SubscriptionKnown, SubscriptionTold } from './observation.ts';

/** What is known of the subscription of the spec in force; that of an earlier generation is another one. */
const current = ({ plan: spec, subscription }: Memory): SubscriptionMemory | undefined =>
  subscription !== undefined && subscription.generation === spec?.generation ? subscription : undefined;

/** What of it the observer is told, so that it tells each piece of news once. */
export function knownOf(memory: Memory): SubscriptionKnown | undefined {
  const known = current(memory);
  if (known === undefined) return undefined;
  if (known.failure !== undefined) return 'failed';
  return known.hasFailed ? 'recovered' : 'kept';
}

/** The memory with what was told of the subscription, and the Event that this is worth: the first failure of a generation. */
export function withSubscription(memory: Memory, told: SubscriptionTold | undefined): [Memory, EventDraft[]] {
  const { plan: spec } = memory;
  if (told === undefined || spec === undefined) return [memory, []];
  const hadFailed = current(memory)?.hasFailed === true;
  const { failure } = told;
  const subscription: SubscriptionMemory = {
    generation: spec.generation,
    ...(failure !== undefined && { failure }),
    ...((hadFailed || failure !== undefined) && { hasFailed: true }),
  };
  const isEvent = failure !== undefined && !hadFailed;
  return [{ ...memory, subscription }, isEvent ? [failedEvent(failure.message)] : []];
}

const failedEvent = (message: string): EventDraft => ({
  type: 'Warning',
  reason: 'SubscriptionFailed',
  message: `${message}; polling goes on, and the subscription is tried again`,
});

/** Whether messages of the app make polls; undefined where nobody asked for that. */
export function subscribed(memory: Memory, spec: CompiledSpec): ConditionNow | undefined {
  if (spec.subscription === undefined) return undefined;
  const known = current(memory);
  if (known === undefined) return condition('Unknown', 'Connecting', 'the subscription is being established');
  if (known.failure === undefined) return condition('True', 'Subscribed', 'messages of the subscription make polls');
  return condition('False', known.failure.class, known.failure.message);
}
