import { describe, expect, it } from '@jest/globals';
import { TargetAppStatus } from '../../../src/api/target-app/status.ts';
import { failureOf } from '../../../src/domain/failure.ts';
import { conditionsIn } from '../../../src/domain/status-conditions.ts';
import { type Memory, newMemory, newRuleMemory } from '../../../src/domain/target-app/memory.ts';
import { statusOf } from '../../../src/domain/target-app/status.ts';
import { conditions as targetAppConditions } from '../../../src/domain/target-app/status-conditions.ts';
import { planned, rule, spec } from '../../support/target-app-manifest.ts';

const now = Date.UTC(2026, 0, 1);
const plan = planned(spec({ actions: [rule({ name: 'restart' })] }));
const key = plan.rules[0]?.key ?? '';
const busy: Memory = {
  ...newMemory(),
  plan,
  matched: 2,
  lastPoll: now,
  lastChange: now,
  pollRequested: 'please',
  subjects: {
    u1: { name: 'pod-1', hash: 'h', state: { application: { health: 'unhealthy', lastError: null } } },
    u2: { name: 'pod-2', failure: failureOf('Timeout', 'no answer within 10 s') },
  },
  pending: [
    {
      request: {
        id: 'id-2',
        namespace: 'default',
        name: 'my-app',
        uid: 'u',
        generation: 1,
        rule: 'restart',
        content: 'c',
        action: 'restart_pod',
        pods: [],
        at: now,
        dryRun: false,
      },
      key,
      subject: 'u1',
      plan: { action: 'restart_pod', content: 'c', timeoutMs: 1, retries: 0, repeatable: true, onPods: true },
      summary: 'restart: so restart_pod',
      lanes: [],
      undo: { key, subject: 'u1', since: now - 123, at: now },
      waits: 1,
      notBefore: now,
      giveUpAt: now,
      reason: 'DisruptionBudget',
      message: 'not now',
    },
  ],
  rules: {
    [key]: {
      ...newRuleMemory(),
      episodes: { u1: { since: now - 123, firedAt: now, dry: true } },
      firings: [{ subject: 'u1', at: now }],
      lastOutcome: { status: 'succeeded', reason: 'Restarted', message: 'done', actionId: 'id', at: now },
      lastSuppression: { reason: 'Cooldown', message: 'fired 5 s ago', at: now },
    },
  },
};

describe('the schema of the status', () => {
  it.each([
    { what: 'nothing yet', memory: newMemory() },
    { what: 'a spec to mend', memory: { ...newMemory(), plan: planned({}) } },
    { what: 'pods, episodes, outcomes and failures', memory: busy },
  ])('has a place for all that is said of $what', ({ memory }) => {
    const [action] = memory.pending;
    const undelivered =
      action === undefined ? [] : [{ ...action, at: now, calls: 3, reason: 'Undelivered', message: 'no' }];
    const judged = { ...memory, undelivered, conditions: conditionsIn(targetAppConditions, memory, now) };
    const status = statusOf(judged, { id: 'targetapp/default/my-app/u', runId: 'r', url: 'http://x/' }, now);
    expect(TargetAppStatus.parse(status)).toEqual(status);
  });
});
