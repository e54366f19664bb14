import { spawn } from 'node:child_process';

/** A finished command: both output streams together, and its exit code (-1 when it could not be started). */
export interface Finished {
  code: number;
  output: string;
}

/** Runs a command to its end. Never rejects: a command that is missing or takes longer than `timeoutMs` has code -1. */
export function runCommand(
  file: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; timeoutMs?: number } = {},
): Promise<Finished> {
  const { promise, resolve } = Promise.withResolvers<Finished>();
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: options.timeoutMs,
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk;
  });
  child.once('error', (error) => resolve({ code: -1, output: error.message }));
  child.once('close', (code) => resolve({ code: code ?? -1, output }));
  return promise;
}
