import { brief } from '../diff.ts';
import type { ObjectRef } from '../refs.ts';
import type { CompiledAction, CompiledRule } from './compiled-spec.ts';
import { firedText, recoveredText } from './decision-events.ts';
import { lanesOf } from './lanes.ts';
import type { Memory, PendingAction } from './memory.ts';
import type { Decision } from './rules.ts';
import { patienceMs } from './waiting.ts';

/** Characters that the requests of all pending actions may have together: they are handed on at continue-as-new. */
const maxPendingLength = 512 * 1024;
/** Length of a carried value where they have more. */
const shortValue = 128;

type Firing = Pick<PendingAction, 'key' | 'plan' | 'request' | 'subject' | 'summary' | 'undo'>;

function firingsOf(app: ObjectRef, decision: Extract<Decision, { kind: 'fire' | 'recover' }>): Firing[] {
  const { rule, subject } = decision;
  if (decision.kind === 'fire') {
    const { request, undo } = decision;
    const summary = firedText(rule, request);
    return [{ key: rule.key, plan: withoutRule(rule), request: { ...app, ...request }, subject, summary, undo }];
  }
  return decision.requests.flatMap((request, index) => {
    const plan = rule.onRecovery?.[index];
    const summary = recoveredText(rule, decision.pod, request);
    return plan === undefined ? [] : [{ key: rule.key, plan, request: { ...app, ...request }, subject, summary }];
  });
}

/** The action of a rule without the rule, which may be edited before it ends. */
function withoutRule(rule: CompiledRule): CompiledAction {
  const { action, content, timeoutMs, retries, repeatable, onPods, receiver, deliverForMs, paced } = rule;
  return {
    ...{ action, content, timeoutMs, retries, repeatable, onPods },
    ...(receiver !== undefined && { receiver }),
    ...(deliverForMs !== undefined && { deliverForMs }),
    ...(paced && { paced }),
  };
}

/** A pending action whose carried values are cut where all of them together would get too long. */
function fitted(pending: readonly PendingAction[], added: PendingAction): PendingAction {
  if (JSON.stringify(pending).length + JSON.stringify(added.request).length <= maxPendingLength) return added;
  const { oldValue, newValue, values, ...request } = added.request;
  return {
    ...added,
    request: {
      ...request,
      ...(oldValue !== undefined && { oldValue: brief(oldValue, shortValue) ?? null }),
      ...(newValue !== undefined && { newValue: brief(newValue, shortValue) ?? null }),
      ...(values !== undefined && {
        values: Object.fromEntries(
          Object.entries(values).map(([path, value]) => [path, brief(value, shortValue) ?? null]),
        ),
      }),
    },
  };
}

/** The memory with one more action to be done. */
export const withPending = (memory: Memory, added: PendingAction): Memory => ({
  ...memory,
  pending: [...memory.pending, fitted(memory.pending, added)],
});

/** The memory with the actions of decisions to be done, beside the polling and in the order in which they were decided; and their ids. */
export function withActions(
  memory: Memory,
  app: ObjectRef,
  decisions: Decision[],
  now: number,
): { memory: Memory; ids: string[] } {
  const firings = decisions.flatMap((decision) =>
    decision.kind === 'fire' || decision.kind === 'recover' ? firingsOf(app, decision) : [],
  );
  const pending = firings.reduce(
    (before, firing) =>
      withPending(before, {
        ...firing,
        lanes: lanesOf(firing.plan, firing.request),
        waits: 0,
        notBefore: now,
        giveUpAt: now + patienceMs(firing.plan),
      }),
    memory,
  );
  return { memory: pending, ids: firings.map(({ request }) => request.id) };
}
