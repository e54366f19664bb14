import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createBirpc } from 'birpc';

/** A process for the supervisor to run. */
export interface Command {
  /** Unique among the running ones. */
  name: string;
  file: string;
  args: string[];
  cwd: string;
  /** Both output streams are appended here. */
  logFile: string;
}

/** How a process ended. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** What the process that owns the servers does when it is told to; see process-supervisor-main.ts for what it promises. */
export interface Owner {
  /** Starts a process; resolves to its pid. */
  run(command: Command): Promise<number>;
  /** Sends a signal to a process and all that it started. Rejects when it is not running. */
  signal(name: string, signal: NodeJS.Signals): Promise<void>;
  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it has ended. */
  end(name: string, graceMs: number): Promise<void>;
  /** Listens on an address for as long as the supervisor lives; rejects when somebody else does. */
  claim(address: string, port: number): Promise<void>;
  /** Ends everything and removes the directory; may be called more than once. */
  close(graceMs: number): Promise<void>;
}

/** What the owner tells by itself. */
export interface Listener {
  exited(name: string, exit: Exit): void;
}

/** The owner, and what is known of its processes. `close` ends the owner itself, too. */
export interface ProcessSupervisor extends Owner {
  /** The processes that run now, by name. */
  pids(): Record<string, number>;
  /** How a process ended, when it has ended since it was last run. */
  exitOf(name: string): Exit | undefined;
}

function forkOwner(directoryToRemove: string): ChildProcess {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return fork(fileURLToPath(new URL('./process-supervisor-main.ts', import.meta.url)), [directoryToRemove], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    serialization: 'advanced', // which keeps errors
    execArgv: [],
    env,
  });
}

/** Keeps this process alive until the call is answered: neither the owner nor the channel to it does. */
async function answered<T>(call: () => Promise<T>): Promise<T> {
  const alive = setInterval(() => {}, 60_000);
  try {
    return await call();
  } finally {
    clearInterval(alive);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH: it is gone.
  }
}

/**
 * Starts the supervisor. It does not keep this process alive: a script that forgets to stop its servers ends, and they with it.
 * `directoryToRemove` is removed when the last server has ended.
 */
export function createProcessSupervisor(directoryToRemove: string): ProcessSupervisor {
  const child = forkOwner(directoryToRemove);
  child.unref();
  child.channel?.unref();
  const pids = new Map<string, number>();
  const exits = new Map<string, Exit>();
  const exited = (name: string, exit: Exit): void => {
    pids.delete(name);
    exits.set(name, exit);
  };
  const owner = createBirpc<Owner, Listener>(
    { exited },
    {
      post: (message) => child.send(message),
      on: (listener) => child.on('message', listener),
      onRequest: (_, call) => answered(call),
      timeout: -1,
    },
  );
  const lost = (error: Error): void => {
    owner.$close(error);
    for (const pid of pids.values()) killGroup(pid);
    pids.clear();
  };
  child.on('error', lost);
  child.on('exit', () => lost(new Error('The process that owns the servers has ended, and the servers with it.')));

  const closeOwner = (graceMs: number) =>
    answered(async () => {
      if (owner.$closed) return;
      await owner.close(graceMs);
      if (child.connected) child.disconnect();
      if (child.exitCode === null) await once(child, 'exit');
    });
  let closing: Promise<void> | undefined;
  return {
    async run(command) {
      exits.delete(command.name);
      const pid = await owner.run(command);
      if (!exits.has(command.name)) pids.set(command.name, pid);
      return pid;
    },
    signal: owner.signal,
    end: owner.end,
    claim: owner.claim,
    close(graceMs) {
      closing ??= closeOwner(graceMs);
      return closing;
    },
    pids: () => Object.fromEntries(pids),
    exitOf: (name) => exits.get(name),
  };
}
