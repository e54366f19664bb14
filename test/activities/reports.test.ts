import { describe, expect, it } from '@jest/globals';
import { type Attempt, createRecordEvents } from '../../src/activities/record-events.ts';
import { createReportStatus } from '../../src/activities/report-status.ts';
import { kinds } from '../../src/api/kinds.ts';
import { refOf } from '../../src/api/resource-ref.ts';
import { KubeError, type KubeObject } from '../../src/clients/kubernetes/client.ts';
import type { EventRecord } from '../../src/domain/events.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { createRedactor } from '../../src/telemetry/redactor.ts';

const app = { namespace: 'shop', name: 'cart', uid: 'u' };
const ref = refOf(kinds.TargetApp);
const record = (fields: Partial<EventRecord> = {}): EventRecord => ({
  id: 'StateChanged/p/x/1',
  type: 'Warning',
  reason: 'StateChanged',
  message: 'application.health changed from healthy to unhealthy on pod cart-1',
  pod: { uid: 'p', name: 'cart-1' },
  count: 2,
  first: 1_000,
  last: 61_500,
  ...fields,
});

/** What takes a known secret out of what is written. */
const hiding = createRedactor();
hiding.add('s3cr3t-key');

/** An API server that answers as told, and what else the activities write. */
const scripted = (answer: (body: JsonObject, calls: number) => unknown = () => undefined) => {
  const written: JsonObject[] = [];
  const notes: string[] = [];
  const log = {
    debug() {},
    info() {},
    warning() {},
    error: (message: string) => void notes.push(message),
    with: () => log,
  };
  const metrics = {
    eventGenerated: ({ reason }: { reason: string }) => void notes.push(reason),
    eventsDropped: ({ reason, count }: { reason: string; count: number }) =>
      void notes.push(`dropped ${count} ${reason}`),
    failed: () => void notes.push('failed'),
  };
  let calls = 0;
  const write = async (body: JsonObject) => {
    await answer(body, calls++);
    written.push(body);
  };
  return { written, notes, log, metrics, write };
};

const refusing = (error: KubeError) =>
  scripted(() => {
    throw error;
  });

const events = (world: ReturnType<typeof scripted>, attempt: Partial<Attempt> = {}) => {
  const record = createRecordEvents({
    kube: { applyEvent: (body, { signal } = {}) => orAborted(world.write(body), signal) },
    kindAccess: () => ({ ref, column: 'tapp', owns: [] }),
    metrics: world.metrics,
    log: world.log,
    instance: 'kco-0',
    redact: hiding.redact,
  });
  const given = { signal: new AbortController().signal, limitMs: 15_000, attempt: 1, ...attempt };
  return (of: typeof app, records: EventRecord[]) => record('TargetApp', of, records, given);
};

/** As a request behaves: it ends with its signal. */
const orAborted = <T>(work: Promise<T>, signal?: AbortSignal): Promise<T> =>
  Promise.race([
    work,
    new Promise<T>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true })),
  ]);

/** So many Events, each with a message of its own. */
const several = (count: number): EventRecord[] =>
  Array.from({ length: count }, (_, i) => record({ id: `StateChanged/p/${i}/1`, message: `event-${i}` }));

const refusals: [string, number][] = [
  ['the namespace is going', 403],
  ['the namespace is gone', 404],
  ['the object is not as the API server wants it', 422],
];
const passing: [string, number | undefined][] = [
  ['the API server is away', undefined],
  ['it is overloaded', 429],
  ['it fails, or a webhook that it asks does', 500],
];
const kubeError = (status: number | undefined, retryAfterMs?: number) =>
  new KubeError({ status, reason: 'x', message: 'x', retryAfterMs });

describe('recording Events', () => {
  it('says of what, of which pod, how often and when', async () => {
    const world = scripted();
    await events(world)(app, [record()]);
    expect(world.written).toMatchObject([
      {
        kind: 'Event',
        metadata: { namespace: 'shop', name: expect.stringMatching(/^cart\.[0-9a-f]{16}$/) },
        involvedObject: {
          kind: 'TargetApp',
          apiVersion: 'operator.kco.local/v1alpha1',
          namespace: 'shop',
          name: 'cart',
          uid: 'u',
        },
        related: { kind: 'Pod', name: 'cart-1', uid: 'p' },
        reason: 'StateChanged',
        type: 'Warning',
        count: 2,
        firstTimestamp: '1970-01-01T00:00:01Z',
        lastTimestamp: '1970-01-01T00:01:01Z',
        reportingInstance: 'kco-0',
      },
    ]);
  });

  it('gives one Event one name, and another one to what is another Event or of another TargetApp', async () => {
    const world = scripted();
    await events(world)(app, [record(), record({ count: 3 }), record({ id: 'other' })]);
    await events(world)({ ...app, uid: 'u2' }, [record()]);
    const names = world.written.map(({ metadata }) => (metadata as { name: string }).name);
    expect(names[0]).toBe(names[1]);
    expect(new Set(names).size).toBe(3);
  });

  it('leaves out a secret that this process knows, and that an application has sent back', async () => {
    const world = scripted();
    await events(world)(app, [record({ message: 'cart-1 answered: s3cr3t-key is not valid' })]);
    expect(world.written[0]?.message).toBe('cart-1 answered: [redacted] is not valid');
  });

  it('writes no lone surrogate, which the API server would not take', async () => {
    const world = scripted();
    await events(world)(app, [record({ message: 'a\ud800b' })]);
    expect(world.written[0]?.message).toBe('a\ufffdb');
  });

  it.each([`${'a'.repeat(199)}-b`, `${'a'.repeat(198)}.-b`, `${'a-'.repeat(99)}--bc`, `${'a.'.repeat(110)}b`])(
    'gives an Event of a TargetApp with a long name a name that Kubernetes takes: %s',
    async (name) => {
      const world = scripted();
      await events(world)({ ...app, name }, [record()]);
      const given = String((world.written[0]?.metadata as JsonObject | undefined)?.name);
      expect(given).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      expect(given.length).toBeLessThanOrEqual(253);
    },
  );

  it.each(refusals)('lets an Event go when %s, and says so', async (_, status) => {
    const world = refusing(kubeError(status));
    expect(await events(world)(app, [record()])).toEqual({});
    expect(world.notes).toEqual(['failed', 'dropped 1 Refused', 'event rejected']);
  });

  it.each(passing)('fails, to be tried again, when %s', async (_, status) => {
    await expect(events(refusing(kubeError(status)))(app, [record()])).rejects.toThrow(KubeError);
  });

  it('tells which were not taken, and counts the others once', async () => {
    const world = scripted(({ message }) => {
      if (message === 'event-3') throw kubeError(500);
      if (message === 'event-5') throw kubeError(422);
    });
    expect(await events(world)(app, several(9))).toEqual({ left: [3] });
    expect(world.written.map(({ message }) => message).toSorted()).toEqual(
      [0, 1, 2, 4, 6, 7, 8].map((i) => `event-${i}`),
    );
    expect(world.notes.filter((note) => note === 'StateChanged')).toHaveLength(7);
  });

  it('makes progress when each write takes long', async () => {
    const world = scripted(() => new Promise((resolve) => setTimeout(resolve, 100)));
    const { left = [] } = await events(world, { limitMs: 900 })(app, several(60));
    expect(world.written.length).toBeGreaterThanOrEqual(8);
    expect(world.written.length + left.length).toBeGreaterThanOrEqual(60);
    expect(left.length).toBeGreaterThan(0);
  });

  it('comes back when it is asked to, as long as there is time', async () => {
    // The first write of each third Event is one too many.
    const asked = new Set<string>();
    const world = scripted(({ message }) => {
      const isFirst = !asked.has(String(message));
      asked.add(String(message));
      if (isFirst && asked.size % 3 === 2) throw kubeError(429, 20);
    });
    expect(await events(world)(app, several(25))).toEqual({});
    expect(world.written).toHaveLength(25);
    expect(world.notes).toHaveLength(25);
  });

  it('lets Temporal come back when it is asked to wait for longer', async () => {
    const failed = events(refusing(kubeError(429, 60_000)))(app, several(2));
    await expect(failed).rejects.toMatchObject({ nextRetryDelay: 60_000 });
  });

  it('does not go on in vain, and begins elsewhere at the next attempt', async () => {
    const refused = new Set(['event-0', 'event-1', 'event-2', 'event-3', 'event-4', 'event-5']);
    const world = () =>
      scripted(({ message }) => {
        if (refused.has(String(message))) throw kubeError(500);
      });
    await expect(events(world())(app, several(20))).rejects.toThrow(KubeError);
    const third = world();
    const { left = [] } = await events(third, { attempt: 3 })(app, several(20));
    expect(left).toEqual([0, 1, 2, 3, 4, 5]);
    expect(third.written).toHaveLength(14);
  });

  it('leaves room at an API server that lets Events hang', async () => {
    let underWay = 0;
    let most = 0;
    const world = scripted(async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setTimeout(resolve, 20));
      underWay -= 1;
    });
    const record = createRecordEvents({
      kube: { applyEvent: (body) => world.write(body) },
      kindAccess: () => ({ ref, column: 'tapp', owns: [] }),
      metrics: world.metrics,
      log: world.log,
      redact: hiding.redact,
      instance: 'kco-0',
    });
    const attempt = { signal: new AbortController().signal, limitMs: 15_000, attempt: 1 };
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => record('TargetApp', { ...app, uid: `${i}` }, several(10), attempt)),
    );
    expect(world.written).toHaveLength(300);
    expect(most).toBeLessThanOrEqual(16);
  });

  it('ends soon when the attempt is given up', async () => {
    const given = new AbortController();
    const hanging = events(
      scripted(() => new Promise(() => undefined)),
      { signal: given.signal },
    )(app, several(30));
    given.abort(new Error('given up'));
    await expect(hanging).rejects.toThrow('given up');
  });
});

describe('reporting a status', () => {
  const report = (
    world: ReturnType<typeof scripted>,
    url?: string,
    result: 'applied' | 'gone' | 'newer' = 'applied',
    more: JsonObject = {},
  ) =>
    createReportStatus({
      kube: { applyStatus: (_, body) => world.write(body).then(() => result) },
      kindAccess: () => ({ ref, column: 'tapp', owns: [] }),
      metrics: world.metrics,
      log: world.log,
      redact: hiding.redact,
      workflowUrl: () => url,
    })(
      { kind: 'TargetApp', app, status: { phase: 'Monitoring', workflow: { id: 'w', runId: 'r' }, ...more } },
      new AbortController().signal,
      15_000,
    );

  it('carries the uid, so that another object of the same name is not written to', async () => {
    const world = scripted();
    expect(await report(world)).toEqual({ gone: false });
    expect(world.written).toMatchObject([
      { kind: 'TargetApp', metadata: { ...app }, status: { workflow: { id: 'w', runId: 'r' } } },
    ]);
  });

  it('adds the page of the workflow where the Web UI is known', async () => {
    const world = scripted();
    await report(world, 'http://ui/w');
    expect(world.written[0]?.status).toMatchObject({ workflow: { url: 'http://ui/w' } });
  });

  it('leaves out a secret that this process knows, wherever an application has put it', async () => {
    const world = scripted();
    const conditions = [{ type: 'Ready', message: 'cart-1 answered 403: s3cr3t-key is not valid' }];
    const pods = [{ name: 'cart-1', state: { seen: ['s3cr3t-key', 7, null, true] } }];
    await report(world, undefined, 'applied', { conditions, pods });
    expect(world.written[0]?.status).toEqual({
      phase: 'Monitoring',
      workflow: { id: 'w', runId: 'r' },
      conditions: [{ type: 'Ready', message: 'cart-1 answered 403: [redacted] is not valid' }],
      pods: [{ name: 'cart-1', state: { seen: ['[redacted]', 7, null, true] } }],
    });
  });

  it('says when the object is gone', async () => {
    expect(await report(scripted(), undefined, 'gone')).toEqual({ gone: true });
  });

  it('is content where a later report was quicker', async () => {
    expect(await report(scripted(), undefined, 'newer')).toEqual({ gone: false });
  });

  it.each([
    ['older', 1_000, false],
    ['the same', 5_000, false],
    ['newer', 5_001, true],
    ['so much newer that a clock must have been set back', 5_000 + 11 * 60_000, false],
    ['of a version that did not say', undefined, false],
  ])('takes what is stored for newer when it is %s: %s', async (_, revision, isNewer) => {
    let asked: boolean | undefined;
    await createReportStatus({
      kube: {
        applyStatus: async (_ref, _body, options) => {
          const metadata = { name: 'cart', uid: 'u', resourceVersion: '1' };
          asked = options?.isNewer?.({ metadata, ...(revision && { status: { revision } }) } as KubeObject);
          return 'applied';
        },
      },
      kindAccess: () => ({ ref, column: 'tapp', owns: [] }),
      metrics: scripted().metrics,
      log: scripted().log,
      redact: hiding.redact,
      workflowUrl: () => undefined,
    })({ kind: 'TargetApp', app, status: { revision: 5_000, workflow: {} } }, new AbortController().signal, 15_000);
    expect(asked).toBe(isNewer);
  });

  it.each(refusals)('does not hold up the rest when %s, and says why', async (_, status) => {
    const world = refusing(kubeError(status));
    expect(await report(world)).toEqual({ gone: false, refused: 'x' });
    expect(world.notes).toEqual(['failed', 'status rejected']);
  });

  it.each(passing)('fails, to be tried again, when %s', async (_, status) => {
    await expect(report(refusing(kubeError(status)))).rejects.toThrow(KubeError);
  });
});
