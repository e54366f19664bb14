import { describe, expect, it } from '@jest/globals';
import { type ActionName, actionKindOf, actionNames } from '../../../src/api/target-app/actions.ts';

/** What may happen again when an attempt was lost, by action: a promise to users, so it is written down twice. */
const promises: Record<ActionName, { parameters: unknown; repeatable: boolean; onPods: boolean }[]> = {
  exec_command: [
    { parameters: { command: ['true'], idempotent: false }, repeatable: false, onPods: true },
    { parameters: { command: ['true'], idempotent: true }, repeatable: true, onPods: true },
  ],
  patch_resource: [{ parameters: {}, repeatable: true, onPods: false }],
  restart_pod: [{ parameters: {}, repeatable: true, onPods: true }],
  scale_deployment: [{ parameters: {}, repeatable: true, onPods: false }],
  webhook: [{ parameters: {}, repeatable: true, onPods: false }],
};

describe('the table of actions', () => {
  it('has a written promise for every action', () => {
    expect(Object.keys(promises)).toEqual(actionNames);
  });

  const rows = Object.entries(promises).flatMap(([name, cases]) => cases.map((row) => ({ name, ...row })));
  it.each(rows)(
    '$name with $parameters is repeatable: $repeatable, on pods: $onPods',
    ({ name, parameters, ...expected }) => {
      const { repeatable, onPods } = actionKindOf(name as ActionName);
      expect({ repeatable: repeatable(parameters as never), onPods: onPods ?? false }).toEqual(expected);
    },
  );
});
