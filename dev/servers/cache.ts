import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Tool } from './tools.ts';

/** Receives one line at a time about what is being waited for. */
export type Progress = (line: string) => void;

/** Where tools are kept: `$XDG_CACHE_HOME/kco/bin`, by default `~/.cache/kco/bin`. */
export function cacheDirectory(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'kco', 'bin');
}

/** The file of a tool in the cache; the version is in the name, so a changed pin never meets an old binary. */
export function cachedFile(directory: string, tool: Tool): string {
  return join(directory, `${tool.name}-${tool.version}`);
}

/** Makes a file through a temporary name and a rename, so that nobody ever sees half of it. */
export async function writeAtomically(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await write(temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(String(process.pid));
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

/** True when the lock was left behind. The file is empty between its creation and its first write: not ours to judge. */
async function isAbandoned(path: string): Promise<boolean> {
  const holder = Number(await readFile(path, 'utf8').catch(() => ''));
  return holder > 0 && !isAlive(holder);
}

/**
 * Runs `action` while no other process does so under the same lock file. A lock whose holder has died is broken; should
 * two processes break it at once, both build, which costs time and harms nothing because files appear by rename.
 */
export async function withLock<T>(path: string, progress: Progress, action: () => Promise<T>): Promise<T> {
  await mkdir(join(path, '..'), { recursive: true });
  let told = false;
  while (!(await tryLock(path))) {
    if (await isAbandoned(path)) {
      await rm(path, { force: true });
      continue;
    }
    if (!told) progress(`waiting for another process (lock ${path})`);
    told = true;
    await delay(200);
  }
  try {
    return await action();
  } finally {
    await rm(path, { force: true });
  }
}
