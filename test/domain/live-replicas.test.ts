import { describe, expect, it } from '@jest/globals';
import { liveReplicas, silenceMs } from '../../src/domain/live-replicas.ts';

describe('the replicas that are there', () => {
  it('are those whose Lease has changed lately, in order', () => {
    const seen = new Map([
      ['c', 20_000],
      ['a', 20_000 - silenceMs + 1],
      ['b', 20_000 - silenceMs],
    ]);
    expect(liveReplicas(seen)).toEqual(['a', 'c']);
  });

  it('are all that were, while nothing at all is seen: then it is the API server that is away', () => {
    const seen = new Map([
      ['a', 1_000],
      ['b', 2_000],
    ]);
    expect(liveReplicas(seen)).toEqual(['a', 'b']);
  });

  it('are none where there is no Lease', () => {
    expect(liveReplicas(new Map())).toEqual([]);
  });
});
