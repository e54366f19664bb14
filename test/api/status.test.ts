import { describe, expect, it } from '@jest/globals';
import { TargetAppStatus } from '../../src/api/status.ts';
import { type Memory, newMemory, newRuleMemory } from '../../src/domain/memory.ts';
import { failureOf } from '../../src/domain/observation.ts';
import { conditionsOf, statusOf } from '../../src/domain/status.ts';
import { planned, rule, spec } from '../support/target-app-manifest.ts';

const now = Date.UTC(2026, 0, 1);
const plan = planned(spec({ actions: [rule({ name: 'restart' })] }));
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
  rules: {
    restart: {
      ...newRuleMemory(),
      episodes: { u1: { since: now - 123, firedAt: now } },
      lastFired: { u1: now },
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
    const judged = { ...memory, conditions: conditionsOf(memory, now) };
    const status = statusOf(judged, { id: 'targetapp/default/my-app/u', runId: 'r', url: 'http://x/' }, now);
    expect(TargetAppStatus.parse(status)).toEqual(status);
  });
});
