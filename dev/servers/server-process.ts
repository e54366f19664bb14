import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessSupervisor } from './process-supervisor.ts';
import type { Command } from './process-supervisor-protocol.ts';

/** One server: how to run it and how to see that it does its work. */
export interface ServerProcess extends Command {
  /** True when the server answers; called again and again, so it must be cheap. It may reject: that means "not yet". */
  isReady(): Promise<boolean>;
}

/** A server ended or did not become ready; the message has the last lines of its log. */
export class ServerFailed extends Error {
  override readonly name = 'ServerFailed';
}

const pollMs = 40;

/** The end of a log, for a message. */
export async function logTail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .trim()
    .split('\n')
    .slice(-8)
    .map((line) => `  ${line.slice(0, 400)}`)
    .join('\n');
}

/** What is wrong with the servers that are waited for, if anything. */
function failure(
  supervisor: ProcessSupervisor,
  servers: ServerProcess[],
  late: boolean,
): { server: ServerProcess; why: string } | undefined {
  for (const server of servers) {
    const exit = supervisor.exitOf(server.name);
    if (exit !== undefined) return { server, why: `has ended (${exit.signal ?? `exit code ${exit.code}`})` };
  }
  const [server] = servers;
  return late && server !== undefined ? { server, why: 'was not ready in time' } : undefined;
}

/**
 * Waits until `isReady`. Throws {@link ServerFailed} as soon as one of the servers that it depends on has ended, or
 * when the time is over.
 */
export async function waitUntil(
  isReady: () => Promise<boolean>,
  servers: ServerProcess[],
  supervisor: ProcessSupervisor,
  timeoutMs: number,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isReady().catch(() => false))) {
    const failed = failure(supervisor, servers, Date.now() > deadline);
    if (failed !== undefined) {
      const { server, why } = failed;
      throw new ServerFailed(`${server.name} ${why}; the end of ${server.logFile}:\n${await logTail(server.logFile)}`);
    }
    await delay(pollMs);
  }
}
