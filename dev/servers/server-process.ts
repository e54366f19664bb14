import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command, ProcessSupervisor } from './process-supervisor.ts';

/** One server: how to run it and how to see that it does its work. */
export interface ServerProcess extends Command {
  /** True when the server answers; called again and again, so it must be cheap. It may reject, or hang: that means "not yet". */
  isReady(): Promise<boolean>;
}

/** A server ended or did not become ready; the message has the last lines of its log. */
export class ServerFailed extends Error {
  override readonly name = 'ServerFailed';
}

const pollMs = 40;
const answerTimeoutMs = 5_000;
const readyTimeoutMs = 90_000;

/** The end of a log, for a message. */
async function logTail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .trim()
    .split('\n')
    .slice(-8)
    .map((line) => `  ${line.slice(0, 400)}`)
    .join('\n');
}

const failed = async ({ name, logFile }: ServerProcess, why: string): Promise<ServerFailed> =>
  new ServerFailed(`${name} ${why}; the end of ${logFile}:\n${await logTail(logFile)}`);

/** Throws {@link ServerFailed} when one of the servers has ended since it was last run. */
export async function assertRunning(servers: ServerProcess[], supervisor: ProcessSupervisor): Promise<void> {
  for (const server of servers) {
    const exit = supervisor.exitOf(server.name);
    if (exit !== undefined) throw await failed(server, `has ended (${exit.signal ?? `exit code ${exit.code}`})`);
  }
}

/**
 * Waits until `isReady`. Throws {@link ServerFailed} as soon as one of the servers that it depends on, the first of them most
 * of all, has ended, or when the time is over.
 */
export async function waitUntil(
  isReady: () => Promise<boolean>,
  servers: [ServerProcess, ...ServerProcess[]],
  supervisor: ProcessSupervisor,
): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  const now = () => Promise.race([isReady().catch(() => false), delay(answerTimeoutMs, false, { ref: false })]);
  while (!(await now())) {
    await assertRunning(servers, supervisor);
    if (Date.now() > deadline) throw await failed(servers[0], 'was not ready in time');
    await delay(pollMs);
  }
}

/** Starts a server. */
export async function run({ name, file, args, cwd, logFile }: ServerProcess, owner: ProcessSupervisor): Promise<void> {
  await owner.run({ name, file, args, cwd, logFile });
}

/** Starts a server and waits until it is ready. Throws {@link ServerFailed}. */
export async function runUntilReady(server: ServerProcess, supervisor: ProcessSupervisor): Promise<void> {
  await run(server, supervisor);
  await waitUntil(server.isReady, [server], supervisor);
}
