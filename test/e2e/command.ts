import { spawn } from 'node:child_process';

/** What a command left behind. */
export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command in the root of the repository; never rejects. Killed after `timeoutMs`. */
export const run = (
  [program = '', ...args]: string[],
  { input = '', timeoutMs = 120_000 }: { input?: string; timeoutMs?: number } = {},
): Promise<Ran> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { cwd: new URL('../..', import.meta.url), timeout: timeoutMs });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (part) => (stdout += part));
    child.stderr.on('data', (part) => (stderr += part));
    child.on('error', (error) => resolve({ code: 1, stdout, stderr: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr }));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });

/** The standard output of a command that has to succeed. */
export const output = async (command: string[], options: Parameters<typeof run>[1] = {}): Promise<string> => {
  const { code, stdout, stderr } = await run(command, options);
  if (code !== 0) throw new Error(`${command.slice(0, 12).join(' ')} exited with ${code}:\n${stderr}${stdout}`);
  return stdout;
};

/** Asks again and again until the answer is there; after the deadline it fails and says what was seen last. */
export const until = async <T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  {
    timeoutMs = 60_000,
    everyMs = 300,
    seen,
  }: { timeoutMs?: number; everyMs?: number; seen?: () => Promise<string> } = {},
): Promise<T> => {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${timeoutMs / 1000} s${seen ? `\n${await seen()}` : ''}`);
    }
    await new Promise((next) => setTimeout(next, everyMs));
  }
};
