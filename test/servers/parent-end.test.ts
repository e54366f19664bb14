import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { openExec } from './pod-exec.ts';
import { eventually, isAlive } from './processes.ts';

interface Held {
  parent: ChildProcess;
  pids: number[];
  stateDir: string;
  kubeconfig?: string;
}

const script = (path: string) => fileURLToPath(new URL(path, import.meta.url));

function parentEnv(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return env;
}

/** `detached` makes it the leader of a process group, as a terminal does with what is started in it. */
async function hold(ending: string, parts: string): Promise<Held> {
  const args = [script('./hold-servers.ts'), ending, parts];
  const parent = spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: parentEnv(),
  });
  for await (const line of createInterface({ input: parent.stdout })) return { parent, ...JSON.parse(line) };
  throw new Error('the parent ended before its servers were ready');
}

async function expectNothingLeft({ pids, stateDir }: Held): Promise<void> {
  await eventually('every server ends', () => !pids.some(isAlive));
  await eventually('the state directory is removed', () => !existsSync(stateDir));
}

describe('servers end with the process that started them', () => {
  it.each(['exit', 'crash', 'forget'])('when it leaves by "%s"', async (ending) => {
    const held = await hold(ending, 'temporal');
    expect(held.pids).toHaveLength(1);
    await expectNothingLeft(held);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('when its process group gets %s', async (signal) => {
    const held = await hold('wait', 'temporal');
    process.kill(-(held.parent.pid ?? 0), signal);
    await expectNothingLeft(held);
  });

  it('when it is killed with SIGKILL, the whole set and a command that runs in a pod included', async () => {
    const held = await hold('wait', 'both');
    expect(held.pids).toHaveLength(6);
    const pidFile = join(held.stateDir, 'sleeper');
    const session = await openExec(held.kubeconfig ?? '', ['sh', '-c', `echo $$ > ${pidFile}; exec sleep 600`]);
    await eventually('the command runs', () => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n'));
    const sleeper = Number(readFileSync(pidFile, 'utf8'));
    expect(isAlive(sleeper)).toBe(true);

    held.parent.kill('SIGKILL');

    await expectNothingLeft({ ...held, pids: [...held.pids, sleeper] });
    session.close();
  });

  it('when the process that owns them for it is killed with SIGKILL', async () => {
    const { parent, pids, stateDir } = await hold('wait', 'temporal');
    const owner = Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pids[0])], { encoding: 'utf8' }));
    expect(owner).not.toBe(parent.pid);
    process.kill(owner, 'SIGKILL');
    await eventually('every server ends', () => !pids.some(isAlive));
    expect(isAlive(parent.pid ?? 0)).toBe(true);
    parent.kill('SIGKILL');
    // Nobody is left who could.
    rmSync(stateDir, { recursive: true });
  });
});
