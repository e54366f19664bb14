/**
 * The process that owns the servers, so that they end with whoever asked for them, however that one ends: it runs in
 * its own session (a Ctrl-C in the terminal does not reach it) and sees the channel to its parent close, which the
 * kernel does even for a parent that was killed with SIGKILL. Argument: a directory to remove at the end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createBirpc } from 'birpc';
import type { Command, Listener, Owner } from './process-supervisor.ts';

const [, , directoryToRemove = ''] = process.argv;
const running = new Map<string, ChildProcess>();

/** Linux only, and only a second net: the kernel then ends the servers when the supervisor itself is killed. */
const setpriv = ['/usr/bin/setpriv', '/bin/setpriv'].find((path) => existsSync(path));

/** Each server leads a process group, so that what it started itself (an exec in a pod) is met as well. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the group is gone already, which is what was wanted.
  }
}

let closing: Promise<void> | undefined;

function run(command: Command): Promise<number> {
  if (closing !== undefined) return Promise.reject(new Error('The servers are being stopped.'));
  if (running.has(command.name)) return Promise.reject(new Error(`${command.name} is already running`));
  const log = openSync(command.logFile, 'a');
  const [file, args] =
    setpriv === undefined
      ? [command.file, command.args]
      : [setpriv, ['--pdeathsig', 'KILL', '--', command.file, ...command.args]];
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const child = spawn(file, args, { cwd: command.cwd, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  child.once('error', (error) => {
    running.delete(command.name);
    reject(error);
  });
  child.once('spawn', () => resolve(child.pid ?? 0));
  running.set(command.name, child);
  child.once('exit', (code, signal) => {
    signalGroup(child, 'SIGKILL');
    running.delete(command.name);
    void parent.exited(command.name, { code, signal });
  });
  return promise;
}

async function signal(name: string, kind: NodeJS.Signals): Promise<void> {
  const child = running.get(name);
  if (child === undefined) throw new Error(`${name} is not running`);
  signalGroup(child, kind);
  if (kind === 'SIGSTOP') while (runsStill(child)) await delay(5);
}

/**
 * Whether a process that was sent SIGSTOP has not stopped yet: until the kernel has let the one thread run that takes
 * the signal, the other ones go on, and on a busy machine they answer for milliseconds. Without /proc nobody knows.
 */
function runsStill({ pid, exitCode, signalCode }: ChildProcess): boolean {
  const file = `/proc/${pid}/stat`;
  if (exitCode !== null || signalCode !== null || !existsSync(file)) return false;
  return !/\) [TtZX] /.test(readFileSync(file, 'utf8'));
}

/** Ends one server: asks, waits, then insists. A stopped process cannot answer, so it is continued first. */
async function end(name: string, graceMs: number): Promise<void> {
  const child = running.get(name);
  if (child === undefined) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once('exit', () => resolve());
  signalGroup(child, 'SIGTERM');
  signalGroup(child, 'SIGCONT');
  const insist = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
  await promise;
  clearTimeout(insist);
}

function claim(address: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  createServer().once('error', reject).listen(port, address, resolve);
  return promise;
}

/** Ends all servers and removes the directory; once, however often and for however many reasons it is called. */
function close(graceMs: number): Promise<void> {
  closing ??= Promise.all([...running.keys()].map((name) => end(name, graceMs))).then(() =>
    rmSync(directoryToRemove, { recursive: true, force: true }),
  );
  return closing;
}

const parent = createBirpc<Listener, Owner>(
  { run, signal, end, claim, close },
  {
    post: (message) => process.connected && process.send?.(message),
    on: (listener) => process.on('message', listener),
    eventNames: ['exited'],
  },
);

const abandonedGraceMs = 2_000;
const leave = () => void close(abandonedGraceMs).finally(() => process.exit(0));
process.on('disconnect', leave);
process.on('uncaughtException', leave);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
