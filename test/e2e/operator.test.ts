import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { apply, get, helm, kubectl, list, restrictedNamespace } from './cluster.ts';
import { until } from './command.ts';
import {
  install,
  installChart,
  killPods,
  leftOfRelease,
  operator,
  operatorPods,
  release,
  removeAll,
  restartTemporal,
  system,
} from './release.ts';
import {
  freshShop,
  inPod,
  mutate,
  podsToldOn,
  received,
  receiver,
  sampleApp,
  settled,
  shop,
  shopPods,
} from './shop.ts';
import { eventsOf, monitored, outcomeOf, remove, statusOf, targetApp } from './target-app.ts';

const figures: Record<string, string> = {};

beforeAll(async () => {
  // What a run that was broken off has left.
  await removeAll(shop);
  await apply(restrictedNamespace(system), restrictedNamespace(shop));
  await apply(sampleApp(), ...receiver());
  await settled();
  const started = performance.now();
  await install();
  await until('the CRD', () =>
    kubectl('get', 'targetapps', '-n', shop).then(
      () => true,
      () => false,
    ),
  );
  await monitored(targetApp('first', []), 3);
  figures['helm install to first poll'] = `${((performance.now() - started) / 1000).toFixed(1)} s`;
  await helm('test', release, '-n', system);
}, 900_000);

afterAll(async () => {
  for (const [what, figure] of Object.entries(figures)) console.log(`${what}: ${figure}`);
  await removeAll(shop);
}, 120_000);

describe('an installed operator', () => {
  it('polls the first TargetApp within a minute of helm install', async () => {
    expect(Number.parseFloat(figures['helm install to first poll'] ?? '')).toBeLessThan(60);
    expect(await statusOf('first')).toMatchObject({ pods: { matched: 3, observed: 3, unreachable: 0 } });
    await remove('first');
  });

  it('runs in namespaces of the restricted Pod Security Standard', async () => {
    const namespaces = await list<{ metadata: { name: string; labels: Record<string, string> } }>('namespaces', '');
    const enforced = namespaces.filter(
      ({ metadata }) => metadata.labels['pod-security.kubernetes.io/enforce'] === 'restricted',
    );
    expect(enforced.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining([system, shop]));
    expect((await operatorPods()).map(({ status }) => status.phase)).toEqual(['Running']);
  });
});

describe('exec_command in a real container', () => {
  const rule = (name: string, parameters: object): object => ({
    name,
    trigger: { field: 'application.status', condition: 'changed_to', value: 'degraded' },
    action: 'exec_command',
    parameters,
  });
  const node = (script: string, ...more: string[]): string[] => ['node', '-e', script, ...more];
  let pod = '';
  let workflow = '';

  beforeAll(async () => {
    const [first] = await freshShop();
    pod = first?.metadata.name ?? '';
    await monitored(
      targetApp('exec', [
        rule('zero', { command: node('console.log("out", process.argv[1]); console.error("err")', '{{new_value}}') }),
        rule('seven', { command: node('console.log("before the end"); process.exit(7)') }),
        rule('directory', { command: node('console.log(process.cwd())'), workingDir: '/proc' }),
        rule('no-directory', { command: node('0'), workingDir: '/nowhere' }),
        rule('no-program', { command: ['/no/such/program'] }),
        rule('too-long', { command: node('console.log("started"); setTimeout(() => 0, 60000)'), timeout: 3 }),
        rule('much', { command: node('console.log("x".repeat(100000))') }),
        rule('container', { command: node('0'), container: 'other' }),
      ]),
      3,
    );
    await mutate(pod, 'setStatus(status: "degraded")');
    await outcomeOf('exec', 'too-long');
    workflow = (await statusOf('exec'))?.workflow?.id ?? '';
  }, 120_000);

  afterAll(() => remove('exec'));

  it.each([
    ['zero', { status: 'succeeded', reason: 'Completed' }],
    ['seven', { status: 'failed', reason: 'NonZeroExit', message: expect.stringContaining('exited with 7') }],
    ['directory', { status: 'succeeded', reason: 'Completed' }],
    ['no-directory', { status: 'failed', reason: 'NonZeroExit' }],
    ['no-program', { status: 'unknown', reason: 'NodeError', message: expect.stringContaining('/no/such/program') }],
    ['too-long', { status: 'unknown', reason: 'Timeout' }],
    ['much', { status: 'succeeded', reason: 'Completed' }],
    ['container', { status: 'failed', reason: 'ContainerNotFound', message: expect.stringContaining('app') }],
  ])('%s ends as it should', async (name, expected) => {
    expect(await outcomeOf('exec', name)).toMatchObject(expected);
  });

  it('keeps what the command said, with what it was given and where it ran, and cuts what is too much', async () => {
    const url = `http://${operator}-temporal.${system}.svc:8233/api/v1/namespaces/default/workflows/${encodeURIComponent(workflow)}/history?maximumPageSize=1000`;
    const history = await inPod(pod, `console.log(await (await fetch(${JSON.stringify(url)})).text())`);
    const outputs = [...history.matchAll(/"data": ?"([A-Za-z0-9+/=]+)"/g)]
      .map(([, data = '']) => Buffer.from(data, 'base64').toString())
      .filter((text) => text.includes('"output"'))
      .map((text) => (JSON.parse(text) as { output: string }).output);
    expect(outputs).toContain('/proc\n');
    expect(outputs).toContain('before the end\n');
    expect(outputs.filter((text) => text.includes('out degraded\n') && text.includes('err\n'))).toHaveLength(1);
    const longest = Math.max(...outputs.map((text) => Buffer.byteLength(text)));
    expect(longest).toBeGreaterThan(15 * 1024);
    expect(longest).toBeLessThanOrEqual(16 * 1024);
  });

  it('tells in Events which command failed and how', async () => {
    const failed = (await eventsOf('exec')).filter(({ reason }) => reason === 'ActionFailed');
    expect(failed.map(({ message }) => message).join('\n')).toContain('seven: exec_command (NonZeroExit)');
  });
});

describe('an application that says it is unhealthy', () => {
  it('is restarted, that pod only and once, and becomes healthy again', async () => {
    const before = await freshShop();
    const [sick] = before;
    const trigger = { field: 'application.health', condition: 'equals', value: 'unhealthy' };
    await monitored(targetApp('restart', [{ name: 'restart', trigger, action: 'restart_pod' }]), 3);
    const started = performance.now();
    await mutate(sick?.metadata.name ?? '', 'setHealth(health: "unhealthy")');
    expect(await outcomeOf('restart', 'restart')).toMatchObject({ status: 'succeeded', reason: 'Restarted' });
    figures['unhealthy to restarted'] = `${((performance.now() - started) / 1000).toFixed(1)} s`;
    const after = await settled();
    const kept = before.filter(({ metadata }) => after.some((pod) => pod.metadata.uid === metadata.uid));
    expect(kept.map(({ metadata }) => metadata.name)).toEqual(before.slice(1).map(({ metadata }) => metadata.name));
    await until('recovery', async () => {
      const status = await statusOf('restart');
      return status?.pods?.observed === 3 && JSON.stringify(status.state).match(/"healthy"/g)?.length === 3;
    });
    const events = await eventsOf('restart');
    expect(events.find(({ reason }) => reason === 'StateChanged')).toMatchObject({
      type: 'Warning',
      message: expect.stringContaining('unhealthy'),
      related: { name: sick?.metadata.name },
    });
    expect(events.filter(({ reason }) => reason === 'ActionSucceeded')).toHaveLength(1);
    await remove('restart');
  });

  it('is not evicted while a PodDisruptionBudget refuses, and is as soon as it allows it', async () => {
    const [sick] = await freshShop();
    const budget = { selector: { matchLabels: { app: 'shop' } }, minAvailable: 3 };
    await apply({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'shop', namespace: shop },
      spec: budget,
    });
    await until('the budget', async () => {
      const found = await get<{ status?: { currentHealthy?: number; disruptionsAllowed?: number } }>(
        'pdb',
        'shop',
        shop,
      );
      return found?.status?.currentHealthy === 3 && found.status.disruptionsAllowed === 0;
    });
    // A state that does not take it out of the ready ones, or Kubernetes would count it as disrupted already.
    const trigger = { field: 'application.status', condition: 'equals', value: 'degraded' };
    const action = { name: 'evict', trigger, action: 'restart_pod', parameters: { evict: true } };
    await monitored(targetApp('evict', [action]), 3);
    await mutate(sick?.metadata.name ?? '', 'setStatus(status: "degraded")');
    await until('the firing', async () => (await eventsOf('evict')).some(({ reason }) => reason === 'TriggerFired'));
    // Long enough for an eviction that nobody refuses: the test before this one needs less.
    await new Promise((next) => setTimeout(next, 8_000));
    expect((await shopPods()).map(({ metadata }) => metadata.uid)).toContain(sick?.metadata.uid);
    await kubectl('delete', 'pdb', 'shop', '-n', shop);
    expect(await outcomeOf('evict', 'evict')).toMatchObject({ status: 'succeeded', reason: 'Restarted' });
    expect((await settled()).map(({ metadata }) => metadata.uid)).not.toContain(sick?.metadata.uid);
    await remove('evict');
  });
});

describe('pods that come and go', () => {
  it('start from a baseline, are counted, and what they say is acted on once each', async () => {
    const [sick] = await freshShop();
    const rule = (name: string, trigger: object): object => ({
      name,
      trigger: { field: 'application.status', ...trigger },
      action: 'webhook',
      parameters: { url: `http://receiver.${shop}.svc/churn/${name}` },
    });
    const degraded = rule('degraded', { condition: 'equals', value: 'degraded' });
    await monitored(targetApp('churn', [degraded, rule('changed', { condition: 'changed' })]), 3);
    const counted = (replicas: number) =>
      until(`${replicas} pods in the status`, async () => {
        const { pods } = (await statusOf('churn')) ?? {};
        return pods?.matched === replicas && pods.observed === replicas;
      });

    await mutate(sick?.metadata.name ?? '', 'setStatus(status: "degraded")');
    await outcomeOf('churn', 'degraded');
    // Its successor says another thing, as another pod: that is no change.
    await kubectl('delete', 'pod', sick?.metadata.name ?? '', '-n', shop);
    await settled(3);
    for (const replicas of [6, 2]) {
      await kubectl('scale', 'deployment/shop', `--replicas=${replicas}`, '-n', shop);
      await settled(replicas);
      await counted(replicas);
    }
    const [last] = await settled(2);
    await mutate(last?.metadata.name ?? '', 'setStatus(status: "degraded")');
    const both = [sick, last].map((pod) => pod?.metadata.name);
    await until('the second webhooks', async () => (await received('/churn')).length >= 4);
    await new Promise((next) => setTimeout(next, 5_000));
    expect(await podsToldOn('/churn/degraded')).toEqual(both);
    expect(await podsToldOn('/churn/changed')).toEqual(both);
    await remove('churn');
    await apply(sampleApp());
  });
});

describe('the other actions', () => {
  it('scale the Deployment that owns the pod', async () => {
    const [pod] = await freshShop();
    const trigger = { field: 'application.pendingTasks', condition: 'greater_than', value: 1000, pods: 'any' };
    const action = { name: 'up', trigger, action: 'scale_deployment', parameters: { replicas: 4 } };
    await monitored(targetApp('scale', [action]), 3);
    await mutate(pod?.metadata.name ?? '', 'setPendingTasks(pendingTasks: 5000)');
    expect(await outcomeOf('scale', 'up')).toMatchObject({ status: 'succeeded', reason: 'Scaled' });
    await settled(4);
    await remove('scale');
    await kubectl('scale', 'deployment/shop', '--replicas=3', '-n', shop);
    await settled(3);
  });

  it('patch what the administrator has listed, and are refused what not', async () => {
    const [pod] = await freshShop();
    await apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'told', namespace: shop },
      data: { health: '' },
    });
    const trigger = { field: 'application.status', condition: 'changed_to', value: 'degraded' };
    const patch = (name: string, apiVersion: string, kind: string, object: string, body: object): object => ({
      name,
      trigger,
      action: 'patch_resource',
      parameters: { apiVersion, kind, name: object, patch: body },
    });
    await monitored(
      targetApp('patch', [
        patch('tell', 'v1', 'ConfigMap', 'told', { data: { health: '{{new_value}}' } }),
        patch('pause', 'apps/v1', 'Deployment', 'shop', { spec: { paused: true } }),
      ]),
      3,
    );
    await mutate(pod?.metadata.name ?? '', 'setStatus(status: "degraded")');
    expect(await outcomeOf('patch', 'tell')).toMatchObject({ status: 'succeeded', reason: 'Patched' });
    expect(await get('configmap', 'told', shop)).toMatchObject({ data: { health: 'degraded' } });
    expect(await outcomeOf('patch', 'pause')).toMatchObject({
      status: 'refused',
      reason: 'Forbidden',
      message: expect.stringContaining('kubectl auth can-i patch deployments.apps/shop'),
    });
    await remove('patch');
  });

  it('send one webhook for one episode', async () => {
    const [pod] = await freshShop();
    const trigger = { field: 'application.status', condition: 'equals', value: 'degraded' };
    const parameters = {
      url: `http://receiver.${shop}.svc/once`,
      payload: { pod: '{{pod_name}}', was: '{{old_value}}' },
    };
    await monitored(targetApp('webhook', [{ name: 'tell', trigger, action: 'webhook', parameters }]), 3);
    await mutate(pod?.metadata.name ?? '', 'setStatus(status: "degraded")');
    const { actionId } = await outcomeOf('webhook', 'tell');
    // Three more polls, in each of which the condition still holds.
    const { lastPoll } = (await statusOf('webhook')) ?? {};
    await new Promise((next) => setTimeout(next, 6_500));
    expect(lastPoll).toBeDefined();
    const got = await received('/once');
    expect(got).toHaveLength(1);
    expect(got[0]?.key).toBe(actionId);
    expect(JSON.parse(got[0]?.body ?? '{}')).toMatchObject({ pod: pod?.metadata.name });
    await remove('webhook');
  });
});

describe('an operator that is killed in the middle of an action', () => {
  it('sends the webhook under the same key again and runs the command no second time', async () => {
    const [pod] = await freshShop();
    const name = pod?.metadata.name ?? '';
    const trigger = { field: 'application.status', condition: 'equals', value: 'degraded' };
    const append = 'require("fs").appendFileSync("/tmp/runs", "run\\n"); setTimeout(() => 0, 20000)';
    await monitored(
      targetApp('killed', [
        { name: 'slow', trigger, action: 'webhook', parameters: { url: `http://receiver.${shop}.svc/slow?wait=8000` } },
        { name: 'command', trigger, action: 'exec_command', parameters: { command: ['node', '-e', append] } },
      ]),
      3,
    );
    await mutate(name, 'setStatus(status: "degraded")');
    await until('the webhook', async () => (await received('/slow')).length > 0);
    const runs = () =>
      inPod(name, 'console.log((await import("fs")).readFileSync("/tmp/runs", "utf8").trim())').catch(() => '');
    await until('the command', async () => (await runs()) !== '');
    const started = performance.now();
    await killPods('operator');
    expect(await outcomeOf('killed', 'command')).toMatchObject({ status: 'unknown' });
    figures['operator killed to outcome declared unknown'] = `${((performance.now() - started) / 1000).toFixed(1)} s`;
    expect(await outcomeOf('killed', 'slow')).toMatchObject({ status: 'succeeded' });
    expect(new Set((await received('/slow')).map(({ key }) => key)).size).toBe(1);
    expect((await runs()).trim()).toBe('run');
    await remove('killed');
  });
});

describe('upgrade, outage and removal', () => {
  it('goes on watching while helm upgrade replaces the operator, and ends the action that is under way', async () => {
    const [pod, second] = await freshShop();
    const trigger = { field: 'application.status', condition: 'equals', value: 'degraded' };
    const parameters = { url: `http://receiver.${shop}.svc/upgrade?wait=8000` };
    await monitored(targetApp('upgrade', [{ name: 'tell', trigger, action: 'webhook', parameters }]), 3);
    const before = (await operatorPods()).map(({ metadata }) => metadata.uid);
    await mutate(pod?.metadata.name ?? '', 'setStatus(status: "degraded")');
    await until('the first webhook', async () => (await received('/upgrade')).length === 1);
    await install('--set-json=config={"KCO_LOG_LEVEL":"DEBUG"}', '--wait', '--timeout=2m');
    await mutate(second?.metadata.name ?? '', 'setStatus(status: "degraded")');
    await until('the old operator to be gone', async () => {
      const pods = await operatorPods();
      return pods.length === 1 && !before.includes(pods[0]?.metadata.uid ?? '');
    });
    await until('the second webhook', async () => (await received('/upgrade')).length > 1);
    expect(await outcomeOf('upgrade', 'tell')).toMatchObject({ status: 'succeeded' });
    const keys = (await received('/upgrade')).map(({ key }) => key);
    expect(new Set(keys).size).toBe(2);
    expect(keys).toHaveLength(2);
    await remove('upgrade');
  });

  it('brings a changed CRD to the cluster', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kco-chart-'));
    // The chart's folder of CRDs is a link to the repository's, which stay as they are.
    await cp(new URL('../../charts/kco-operator', import.meta.url), folder, { recursive: true, dereference: true });
    const file = join(folder, 'files', 'crds', 'operator.kco.local_targetapps.yaml');
    const column =
      '      additionalPrinterColumns:\n        - name: Workflow\n          type: string\n          jsonPath: .status.workflow.id\n';
    await writeFile(file, (await readFile(file, 'utf8')).replace('      additionalPrinterColumns:\n', column));
    const columns = () => kubectl('get', 'targetapps', '--all-namespaces');
    await monitored(targetApp('column', []), 3);
    expect(await columns()).not.toContain('WORKFLOW');
    await installChart(folder, '--wait', '--timeout=2m');
    await until('the new column', async () => /WORKFLOW[\s\S]*targetapp\/kco-e2e-shop\/column/.test(await columns()));
    await install('--wait', '--timeout=2m');
    await remove('column');
    await rm(folder, { recursive: true });
  });

  it('goes on in the same runs after Temporal was restarted, and acts on no episode twice', async () => {
    const [pod, second] = await freshShop();
    const trigger = { field: 'application.status', condition: 'equals', value: 'degraded' };
    const parameters = { url: `http://receiver.${shop}.svc/restarted` };
    await monitored(targetApp('restarted', [{ name: 'tell', trigger, action: 'webhook', parameters }]), 3);
    await mutate(pod?.metadata.name ?? '', 'setStatus(status: "degraded")');
    await outcomeOf('restarted', 'tell');
    const { runId } = (await statusOf('restarted'))?.workflow ?? {};
    const started = performance.now();
    await restartTemporal();
    await mutate(second?.metadata.name ?? '', 'setStatus(status: "degraded")');
    await until('the second webhook', async () => (await received('/restarted')).length >= 2);
    figures['Temporal restarted to acting again'] = `${((performance.now() - started) / 1000).toFixed(1)} s`;
    await new Promise((next) => setTimeout(next, 5_000));
    expect(await podsToldOn('/restarted')).toEqual([pod, second].map((each) => each?.metadata.name));
    expect((await statusOf('restarted'))?.workflow?.runId).toBe(runId);
    await remove('restarted');
  });

  it('starts the workflows anew when the Temporal database is lost, and acts on no episode twice', async () => {
    const [pod] = await freshShop();
    const trigger = { field: 'application.status', condition: 'equals', value: 'degraded' };
    const parameters = { url: `http://receiver.${shop}.svc/lost` };
    await monitored(targetApp('lost', [{ name: 'tell', trigger, action: 'webhook', parameters }]), 3);
    await mutate(pod?.metadata.name ?? '', 'setStatus(status: "degraded")');
    await outcomeOf('lost', 'tell');
    const before = (await statusOf('lost'))?.workflow?.runId;
    const started = performance.now();
    await kubectl(
      'delete',
      'pod',
      '-n',
      system,
      '-l',
      `app.kubernetes.io/instance=${release},app.kubernetes.io/component=temporal-dev-server`,
    );
    await until(
      'another run of the workflow',
      async () => {
        const status = await statusOf('lost');
        return status?.workflow?.runId !== before && status?.pods?.observed === 3;
      },
      { timeoutMs: 120_000, seen: () => kubectl('logs', '-n', system, `deploy/${operator}`, '--tail=20') },
    );
    figures['Temporal database lost to watched again'] = `${((performance.now() - started) / 1000).toFixed(1)} s`;
    await new Promise((next) => setTimeout(next, 5_000));
    expect(await received('/lost')).toHaveLength(1);
  }, 200_000);

  it('leaves nothing behind but the CRDs and the TargetApps', async () => {
    await helm('uninstall', release, '-n', system, '--wait');
    await until('all to be gone', async () => (await leftOfRelease()).length === 0, {
      seen: async () => (await leftOfRelease()).join('\n'),
    });
    expect(await kubectl('get', 'crds', '-o', 'name')).toContain('targetapps.operator.kco.local');
    expect(
      (await list<{ metadata: { name: string } }>('targetapps', shop)).map(({ metadata }) => metadata.name),
    ).toContain('lost');
    // No finalizer holds it, with the operator away.
    await remove('lost');
  });
});
