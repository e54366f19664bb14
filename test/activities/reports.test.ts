import { describe, expect, it } from '@jest/globals';
import { createRecordEvents } from '../../src/activities/record-events.ts';
import { createReportStatus } from '../../src/activities/report-status.ts';
import { kinds } from '../../src/api/kinds.ts';
import { refOf } from '../../src/api/resource-ref.ts';
import { KubeError } from '../../src/clients/kube.ts';
import type { EventRecord } from '../../src/domain/events.ts';
import type { JsonObject } from '../../src/domain/json.ts';

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

/** An API server that fails as told, and what else the activities write. */
const scripted = (failure?: KubeError) => {
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
    failed: () => void notes.push('failed'),
  };
  const write = async (body: JsonObject) => {
    if (failure !== undefined) throw failure;
    written.push(body);
  };
  return { written, notes, log, metrics, write };
};

const events = (world: ReturnType<typeof scripted>) =>
  createRecordEvents({
    kube: { applyEvent: world.write },
    ref,
    metrics: world.metrics,
    log: world.log,
    instance: 'kco-0',
  });

const refusals: [string, number][] = [
  ['the namespace is going', 403],
  ['the namespace is gone', 404],
  ['the object is not as the API server wants it', 422],
];
const passing: [string, number | undefined][] = [
  ['the API server is away', undefined],
  ['it is overloaded', 429],
  ['it fails', 500],
];
const kubeError = (status: number | undefined) => new KubeError({ status, reason: 'x', message: 'x' });

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

  it('writes no lone surrogate, which the API server would not take', async () => {
    const world = scripted();
    await events(world)(app, [record({ message: 'a\ud800b' })]);
    expect(world.written[0]?.message).toBe('a\ufffdb');
  });

  it.each(refusals)('lets an Event go when %s, and says so', async (_, status) => {
    const world = scripted(kubeError(status));
    await events(world)(app, [record()]);
    expect(world.notes).toEqual(['failed', 'event refused']);
  });

  it.each(passing)('fails, to be tried again, when %s', async (_, status) => {
    await expect(events(scripted(kubeError(status)))(app, [record()])).rejects.toThrow(KubeError);
  });
});

describe('reporting a status', () => {
  const report = (world: ReturnType<typeof scripted>, url?: string, result: 'applied' | 'gone' = 'applied') =>
    createReportStatus({
      kube: { applyStatus: (_, body) => world.write(body).then(() => result) },
      ref,
      metrics: world.metrics,
      log: world.log,
      workflowUrl: () => url,
    })({ app, status: { phase: 'Monitoring', workflow: { id: 'w', runId: 'r' } } });

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

  it('says when the object is gone', async () => {
    expect(await report(scripted(), undefined, 'gone')).toEqual({ gone: true });
  });

  it.each(refusals)('does not hold up the rest when %s', async (_, status) => {
    const world = scripted(kubeError(status));
    expect(await report(world)).toEqual({ gone: false });
    expect(world.notes).toEqual(['failed', 'status refused']);
  });

  it.each(passing)('fails, to be tried again, when %s', async (_, status) => {
    await expect(report(scripted(kubeError(status)))).rejects.toThrow(KubeError);
  });
});
