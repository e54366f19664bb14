import { describe, expect, it } from '@jest/globals';
import { blamed, type TimeSpent } from '../../../src/clients/http/blame.ts';
import { failureOf } from '../../../src/domain/failure.ts';

const late = failureOf('Timeout', 'late');
const lost = failureOf('ConnectFailed', 'lost', { about: 'lost' });
const refused = failureOf('ConnectFailed', 'refused', { about: 'ECONNREFUSED' });

describe('who is to blame for', () => {
  it.each<[string, typeof late, Partial<TimeSpent>, string]>([
    ['silence for the whole time', late, {}, 'Timeout'],
    ['silence after a moment of our own', late, { heldMs: 900, stalledMs: 0 }, 'Timeout'],
    ['silence after a wait of our own', late, { heldMs: 1_000 }, 'Throttled'],
    ['silence while we stood still', late, { stalledMs: 2_000 }, 'OperatorTrouble'],
    [
      'silence though we stood still and waited that much longer',
      late,
      { elapsedMs: 11_000, stalledMs: 1_000 },
      'Timeout',
    ],
    ['a connection that was given up', lost, { elapsedMs: 50 }, 'ConnectFailed'],
    [
      'a connection that was given up while we stood still',
      lost,
      { elapsedMs: 3_000, stalledMs: 2_500 },
      'OperatorTrouble',
    ],
    ['a refusal, whatever we did before', refused, { heldMs: 5_000, stalledMs: 5_000 }, 'ConnectFailed'],
    ['bad JSON, whatever we did before', failureOf('InvalidJSON', 'x'), { heldMs: 5_000 }, 'InvalidJSON'],
  ])('%s', (_, failure, spent, expected) => {
    const time = { deadlineMs: 10_000, elapsedMs: 10_000, heldMs: 0, stalledMs: 0, ...spent };
    expect(blamed(failure, new URL('http://app/graphql'), time).class).toBe(expected);
  });
});
