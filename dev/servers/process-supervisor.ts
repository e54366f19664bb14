import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Command, Order, Report } from './process-supervisor-protocol.ts';

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Owns the servers of one set; see process-supervisor-main.ts for what it promises. */
export interface ProcessSupervisor {
  /** Starts a process; resolves to its pid. */
  run(command: Command): Promise<number>;
  /** Sends a signal to a process and all that it started. Rejects when it is not running. */
  signal(name: string, signal: NodeJS.Signals): Promise<void>;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it has ended. */
  end(name: string, graceMs: number): Promise<void>;
  /** Listens on an address for as long as the supervisor lives; rejects when somebody else does. */
  claim(address: string, port: number): Promise<void>;
  /** Ends everything, removes the directory and the supervisor itself; may be called more than once. */
  close(graceMs: number): Promise<void>;
  /** The processes that run now, by name. */
  pids(): Record<string, number>;
  /** How a process ended, when it has ended since it was last run. */
  exitOf(name: string): Exit | undefined;
}

interface Waiting {
  resolve(pid: number | undefined): void;
  reject(error: Error): void;
}

function forkSupervisor(directoryToRemove: string | undefined): ChildProcess {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return fork(
    fileURLToPath(new URL('./process-supervisor-main.ts', import.meta.url)),
    directoryToRemove === undefined ? [] : [directoryToRemove],
    { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [], env },
  );
}

function killGroups(pids: Iterable<number>): void {
  for (const pid of pids) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // ESRCH: it is gone.
    }
  }
}

/**
 * Starts the supervisor. It does not keep this process alive: a script that forgets to stop its servers ends, and they with it.
 *
 * @param directoryToRemove removed when the last server has ended
 */
export function createProcessSupervisor(directoryToRemove?: string): ProcessSupervisor {
  const child = forkSupervisor(directoryToRemove);
  const waiting = new Map<number, Waiting>();
  const pids = new Map<string, number>();
  const exits = new Map<string, Exit>();
  let nextId = 1;
  let gone = false;

  const rest = () => {
    if (waiting.size > 0) return;
    child.unref();
    child.channel?.unref();
  };
  child.on('message', (report: Report) => {
    if (report.kind === 'exited') {
      pids.delete(report.name);
      exits.set(report.name, { code: report.code, signal: report.signal });
      return;
    }
    const caller = waiting.get(report.id);
    waiting.delete(report.id);
    if (report.kind === 'done') caller?.resolve(report.pid);
    else caller?.reject(new Error(report.message));
    rest();
  });
  const lost = (error: Error) => {
    gone = true;
    killGroups(pids.values());
    pids.clear();
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  child.on('error', lost);
  child.on('exit', () => lost(new Error('The process that owns the servers has ended, and the servers with it.')));

  const ask = (order: Order): Promise<number | undefined> => {
    if (gone) return Promise.reject(new Error('The servers are stopped.'));
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    const id = nextId++;
    waiting.set(id, { resolve, reject });
    child.ref();
    child.channel?.ref();
    child.send({ id, ...order });
    return promise;
  };
  const closeSupervisor = async (graceMs: number) => {
    if (gone) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    child.once('exit', () => resolve());
    await ask({ do: 'close', graceMs });
    child.ref();
    if (child.connected) child.disconnect();
    await promise;
  };
  let closing: Promise<void> | undefined;
  return {
    async run(command) {
      exits.delete(command.name);
      const pid = (await ask({ do: 'run', command })) ?? 0;
      if (!exits.has(command.name)) pids.set(command.name, pid);
      return pid;
    },
    signal: async (name, signal) => void (await ask({ do: 'signal', name, signal })),
    end: async (name, graceMs) => void (await ask({ do: 'end', name, graceMs })),
    claim: async (address, port) => void (await ask({ do: 'claim', address, port })),
    close(graceMs) {
      closing ??= closeSupervisor(graceMs);
      return closing;
    },
    pids: () => Object.fromEntries(pids),
    exitOf: (name) => exits.get(name),
  };
}
