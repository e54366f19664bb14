import { describe, expect, it } from '@jest/globals';
import { createTellAtOnce } from '../../src/activities/tell-at-once.ts';
import type { EventRecord } from '../../src/domain/events.ts';
import type { Telling } from '../../src/domain/telling.ts';

const app = { namespace: 'shop', name: 'cart', uid: 'u1' };
const records = [{ id: 'a' }, { id: 'b' }] as EventRecord[];
const telling: Telling = { kind: 'TargetApp', app, status: { phase: 'Monitoring' }, records };

/** Writes that end as they are told, and how often they were called. */
const writes = (events: () => Promise<{ left?: number[] }>, status = async () => ({ gone: false })) => {
  const calls = { events: 0, status: 0 };
  const tell = createTellAtOnce({
    recordEvents: async () => {
      calls.events += 1;
      return events();
    },
    reportStatus: async () => {
      calls.status += 1;
      return status();
    },
  });
  return { tell, calls };
};

const refused = async (): Promise<never> => {
  throw new Error('refused');
};

describe('telling at once', () => {
  it('writes status and Events, and leaves nothing', async () => {
    const { tell, calls } = writes(async () => ({}));
    expect(await tell(telling)).toEqual({ status: { gone: false } });
    expect(calls).toEqual({ events: 1, status: 1 });
  });

  it('leaves what was not taken, and the status where that was not written', async () => {
    expect(await writes(async () => ({ left: [1] })).tell(telling)).toEqual({ status: { gone: false }, left: [1] });
    expect(await writes(refused).tell(telling)).toEqual({ status: { gone: false }, left: [0, 1] });
    expect(await writes(async () => ({}), refused).tell(telling)).toEqual({});
  });

  it('writes only what there is', async () => {
    const { tell, calls } = writes(async () => ({}));
    expect(await tell({ kind: 'TargetApp', app, records: [] })).toEqual({});
    expect(calls).toEqual({ events: 0, status: 0 });
  });

  it('asks an API server no more for a while that was too slow', async () => {
    const hanging = () => new Promise<never>((_, reject) => setTimeout(() => reject(new Error('late')), 1_700));
    const { tell, calls } = writes(hanging);
    expect(await tell(telling)).toMatchObject({ left: [0, 1] });
    expect(await tell(telling)).toEqual({ left: [0, 1] });
    expect(calls).toEqual({ events: 1, status: 1 });
  });
});
