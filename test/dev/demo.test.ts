import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createEventLog } from '../../dev/demo/event-log.ts';
import { lineOf } from '../../dev/demo/live-view.ts';
import { basicTargetApp, otherExamples } from '../../dev/demo/manifests.ts';
import { createTerminal } from '../../dev/demo/terminal.ts';
import { TargetApp } from '../../src/api/target-app/schema.ts';
import { descendantsOf, isRunning } from '../support/descendants.ts';

/** The demo as a process, and all that it has said so far. */
interface Demo {
  process: ChildProcess;
  said(): string;
}

function startDemo(...args: string[]): Demo {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, ['dev/demo/main.ts', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk;
    });
  return { process: child, said: () => text };
}

/** Waits until the demo has said it; fails when it ends before. */
async function until(demo: Demo, words: string): Promise<void> {
  while (!demo.said().includes(words)) {
    if (demo.process.exitCode !== null) throw new Error(`the demo has ended:\n${demo.said()}`);
    await delay(50);
  }
}

/** Waits for as long as the supervisors may take to clean up, and returns what still runs. */
async function left(pids: number[]): Promise<number[]> {
  const deadline = Date.now() + 60_000;
  while (pids.some(isRunning) && Date.now() < deadline) await delay(100);
  return pids.filter(isRunning);
}

describe('npm run demo -- --script', () => {
  it('plays the scenario, finds all as it should be, and leaves nothing running', async () => {
    const demo = startDemo('--script');
    await until(demo, 'A pod turns unhealthy');
    const pids = descendantsOf(demo.process.pid ?? 0);
    expect(pids.length).toBeGreaterThan(7);
    const [code] = await once(demo.process, 'close');
    expect({ code, said: demo.said() }).toEqual({ code: 0, said: expect.stringContaining('All as it should be') });
    // Not a terminal: no colours, and no line that is rewritten.
    expect(demo.said()).toBe(stripVTControlCharacters(demo.said()).replaceAll('\r', ''));
    expect(await left(pids)).toEqual([]);
  });
});

describe('npm run demo', () => {
  it('ends the operator before its servers after SIGINT, and leaves nothing running', async () => {
    const demo = startDemo();
    await until(demo, 'To try in another terminal');
    const root = demo.process.pid ?? 0;
    const pids = descendantsOf(root);
    const operator = descendantsOf(root, 'src/main.ts');
    const servers = ['kube-apiserver', 'temporal'].flatMap((name) => descendantsOf(root, `${name}-`));
    expect({ operator: operator.length > 0, servers: servers.length > 1 }).toEqual({ operator: true, servers: true });
    demo.process.kill('SIGINT');
    while (operator.some(isRunning)) await delay(10);
    expect(servers.filter(isRunning)).toEqual(servers);
    await once(demo.process, 'close');
    expect(await left(pids)).toEqual([]);
  });

  it('leaves nothing running after SIGKILL', async () => {
    const demo = startDemo();
    await until(demo, 'To try in another terminal');
    const pids = descendantsOf(demo.process.pid ?? 0);
    demo.process.kill('SIGKILL');
    await once(demo.process, 'close');
    expect(await left(pids)).toEqual([]);
  });

  it('says why when the operator ends by itself', async () => {
    const demo = startDemo();
    await until(demo, 'To try in another terminal');
    const operator = descendantsOf(demo.process.pid ?? 0, 'src/main.ts');
    for (const pid of operator) process.kill(pid, 'SIGKILL');
    const [code] = await once(demo.process, 'close');
    expect({ code, said: demo.said() }).toEqual({
      code: 1,
      said: expect.stringContaining('the operator has ended (SIGKILL)'),
    });
  });
});

describe('the TargetApps of the demo', () => {
  const complete = (manifest: object) => ({
    ...manifest,
    metadata: { name: 'a', namespace: 'b', uid: 'c', generation: 1 },
  });
  const fitting = { pollingInterval: 5, webhookUrl: 'http://127.0.0.1:1/hook', workingDir: '/tmp' };

  it.each([basicTargetApp(fitting), ...otherExamples()])('$metadata.name is valid', (manifest) => {
    expect(TargetApp.safeParse(complete(manifest))).toMatchObject({ success: true });
  });
});

describe('what happened', () => {
  const { paint } = createTerminal({ NO_COLOR: '1' });

  it('is found when it was seen already, and waited for when it was not', async () => {
    const { record, seen } = createEventLog();
    const wanted = (key: string, withinMs: number) =>
      seen({ what: key, kind: 'webhook', since: 0, withinMs, where: (one) => one.key === key });
    record({ kind: 'webhook', key: 'early', body: '' });
    await expect(wanted('early', 0)).resolves.toMatchObject({ key: 'early' });
    const late = wanted('late', 5_000);
    record({ kind: 'webhook', key: 'late', body: '' });
    await expect(late).resolves.toMatchObject({ key: 'late' });
    await expect(wanted('never', 10)).rejects.toThrow('never: not seen within 0.01 s');
  });

  it.each([
    { reason: 'StateChanged', verb: 'KCO sees' },
    { reason: 'TriggerFired', verb: 'KCO decides' },
    { reason: 'ActionSucceeded', verb: 'KCO did' },
  ])('$reason is what "$verb"', ({ reason, verb }) => {
    const event = {
      kind: 'event',
      at: 0,
      namespace: 'default',
      app: 'my-app',
      type: 'Normal',
      message: 'm',
      count: 2,
    } as const;
    expect(lineOf({ ...event, reason }, paint)).toMatch(new RegExp(`${verb} +${reason} +m \\(×2\\)$`));
  });
});
