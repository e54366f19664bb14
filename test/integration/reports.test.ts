import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createReportStatus, type ReportStatus } from '../../src/activities/report-status.ts';
import { kinds } from '../../src/api/kinds.ts';
import { refOf } from '../../src/api/resource-ref.ts';
import { createKube, type Kube, type KubeObject } from '../../src/clients/kubernetes/client.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import type { StatusReport } from '../../src/domain/refs.ts';
import { createLog } from '../../src/telemetry/logger.ts';
import { createMetrics } from '../../src/telemetry/metrics/index.ts';
import { createRedactor } from '../../src/telemetry/redactor.ts';
import { startStopwatch } from '../support/pace.ts';
import { type RealWorld, startWorld, whenUnhealthy } from '../support/real-world.ts';
import type { RecordedApp } from '../support/recorder.ts';
import { until } from '../support/until.ts';

const ref = refOf(kinds.TargetApp);
const namespace = 'default';
let world: RealWorld;

beforeAll(async () => {
  world = await startWorld();
}, 900_000);

afterAll(() => world?.stop());

const statusOf = (name: string): string => JSON.stringify(world.targetApp(name)?.status ?? {});

/** What kstatus says of an object, by the rules that concern a TargetApp. */
function kstatusOf({ metadata, status }: RecordedApp): 'Current' | 'Failed' | 'InProgress' | 'Terminating' {
  const is = (type: string, value: string) =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === value);
  if (metadata.deletionTimestamp !== undefined) return 'Terminating';
  if (status?.observedGeneration !== undefined && status.observedGeneration !== metadata.generation)
    return 'InProgress';
  if (is('Reconciling', 'True')) return 'InProgress';
  if (is('Stalled', 'True')) return 'Failed';
  return is('Ready', 'False') || is('Ready', 'Unknown') ? 'InProgress' : 'Current';
}

describe('while no operator is there', () => {
  it('a TargetApp is in progress to kstatus, and not up to date', async () => {
    await world.watchApp('nobody-there');
    const fresh = await world.kube.get<RecordedApp>(ref, { namespace, name: 'nobody-there' });
    expect(fresh && kstatusOf(fresh)).toBe('InProgress');
    expect(fresh?.status).toEqual({ observedGeneration: -1 });
    const waited = await world.kubectl(['wait', '--for=condition=Ready', 'ta/nobody-there', '--timeout=1s']);
    expect(waited.code).not.toBe(0);
    await world.deleteApp('nobody-there');
  });

  it('a late report of one process leaves the newer one of another, and a still newer one takes its place', async () => {
    await world.watchApp('late');
    const { metadata } = await until('it is there', () => world.targetApp('late'));
    const app = { namespace, name: 'late', uid: metadata.uid };
    const kubes: Kube[] = [];
    const process = (): ReportStatus => {
      const kube = createKube({ kubeconfig: world.servers.kubernetes.kubeconfig });
      kubes.push(kube);
      const log = createLog({ level: 'ERROR', operator: 'kco' });
      return createReportStatus({
        kube,
        kindAccess: () => ({ ref, column: 'tapp', owns: [] }),
        metrics: createMetrics({ version: '0' }),
        log,
        redact: createRedactor().redact,
        workflowUrl: () => undefined,
      });
    };
    const says = (revision: number, phase: string): StatusReport<JsonObject> => ({
      kind: 'TargetApp',
      app,
      status: { revision, phase, workflow: { id: 'w', runId: 'r' } },
    });
    const stored = async () => (await world.kube.get<RecordedApp>(ref, { namespace, name: 'late' }))?.status?.phase;
    const { signal } = new AbortController();
    const [one, other, third] = [process(), process(), process()];
    const t = 1_767_225_600_000;

    await one(says(t, 'Initializing'), signal, 15_000);
    await other(says(t + 2, 'Monitoring'), signal, 15_000);
    expect(await one(says(t + 1, 'Suspended'), signal, 15_000)).toEqual({ gone: false });
    expect(await stored()).toBe('Monitoring');
    // One that knows no version, and begins by reading.
    await third(says(t + 1, 'Suspended'), signal, 15_000);
    expect(await stored()).toBe('Monitoring');
    await one(says(t + 3, 'Failed'), signal, 15_000);
    expect(await stored()).toBe('Failed');
    await Promise.all(kubes.map((kube) => kube.close()));
    await world.deleteApp('late');
  });
});

describe('with an operator', () => {
  beforeAll(async () => {
    await world.operate();
  });

  it('a TargetApp becomes current to kstatus, and ready to kubectl wait', async () => {
    await world.runApp('well');
    await world.monitor('well');
    const waited = await world.kubectl(['wait', '--for=condition=Ready', 'ta/well', '--timeout=20s']);
    expect(waited).toMatchObject({ code: 0 });
    const app = await world.kube.get<RecordedApp>(ref, { namespace, name: 'well' });
    expect(app && kstatusOf(app)).toBe('Current');
  });

  it('a time that is another one at every poll of three pods makes one Event per pod, which counts', async () => {
    const pods = await world.runApp('clock', 3);
    await world.monitor('clock');
    for (let i = 0; i < 8; i += 1) {
      const before = pods.map(({ status }) => world.app.requests(status?.podIP));
      for (const pod of pods) world.says(pod, { lastError: new Date().toISOString() });
      await until('all are polled', () =>
        pods.every(({ status }, n) => world.app.requests(status?.podIP) >= (before[n] ?? 0) + 2),
      );
    }
    const told = () => world.events('clock', 'StateChanged');
    await until('all is told', () => told().length >= 3 && told().every(({ count }) => count >= 7), {
      instead: () => told().map(({ count, message }) => [count, message]),
    });
    expect(told()).toHaveLength(3);
    expect(new Set(told().map(({ related }) => related?.uid)).size).toBe(3);
  });

  it('a TargetApp whose name is cut at a dot has its Events', async () => {
    const name = `${'a'.repeat(199)}.b`;
    await world.runApp('long-name');
    await world.watchApp(name, { selector: { matchLabels: { app: 'long-name' } } });
    await world.event(name, 'MonitoringStarted');
  });

  it('a state full of control characters and half characters is told in one line', async () => {
    const [pod] = await world.runApp('odd-text');
    await world.monitor('odd-text');
    world.says(pod, { lastError: `a\u0000b\nc \u001b[31m \u202e \ud800 ${'x'.repeat(300)}` });
    const { message } = await world.event('odd-text', 'StateChanged');
    expect(message).toMatch(
      /^application\.lastError changed from null to a b c +\[31m +\ufffd x+… on pod odd-text-\S+$/,
    );
  });
});

const webhooks = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  namespaced: false,
};
const events = { apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true };

/** Lets the API server ask this port about every Event; it must have an answer. Resolves when it does. */
async function askAboutEvents(port: number): Promise<void> {
  await world.apply({
    apiVersion: webhooks.apiVersion,
    kind: webhooks.kind,
    metadata: { name: 'about-events' },
    webhooks: [
      {
        name: 'about.events.example.com',
        clientConfig: { url: `https://127.0.0.1:${port}/` },
        rules: [{ apiGroups: ['', 'events.k8s.io'], apiVersions: ['*'], operations: ['*'], resources: ['events'] }],
        failurePolicy: 'Fail',
        timeoutSeconds: 10,
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  const probe = {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { namespace, name: 'probe' },
    involvedObject: { kind: 'Pod', namespace, name: 'probe' },
    reason: 'Probe',
    message: 'probe',
  };
  await until('Events are refused', async () => {
    try {
      await world.kube.create<KubeObject>(events, probe, { dryRun: true, signal: AbortSignal.timeout(1_000) });
      return false;
    } catch {
      return true;
    }
  });
}

/** Something that accepts connections and says nothing. */
async function silence(): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.resume());
    socket.on('error', () => undefined);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

describe('while the API server takes no Events, because a webhook on them', () => {
  it.each(['is down', 'hangs'])(
    '%s, statuses are written and actions done at once; the Events come later',
    async (how) => {
      const name = `no-events-${how.replace(' ', '-')}`;
      const [pod] = await world.runApp(name);
      await world.monitor(name, { actions: [{ trigger: whenUnhealthy, action: 'restart_pod' }] });
      const { port, close } = await silence();
      if (how === 'is down') close();
      await askAboutEvents(port);

      const stopwatch = startStopwatch();
      world.says(pod, { health: 'unhealthy' });
      await world.deletedPods(name, 1);
      expect(stopwatch.stop()).toBeLessThanOrEqual(4_000);
      await until('the outcome stands in the status', () => statusOf(name).includes('lastOutcome'));
      const [next] = await world.pods(name);
      world.says(next, { health: 'degraded' });
      await until('the next change stands in the status', () => statusOf(name).includes('degraded'));
      expect(world.events(name).map(({ reason }) => reason)).not.toContain('TriggerFired');

      await world.kube.delete(webhooks, { name: 'about-events' });
      close();
      for (const reason of ['TriggerFired', 'ActionSucceeded']) await world.event(name, reason);
      await world.event(name, 'StateChanged', 'to unhealthy');
    },
  );
});
