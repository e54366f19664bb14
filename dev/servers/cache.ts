import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
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
 * Returns a file of the cache, after `make` where it is not there, by one process at a time. A lock whose holder has died is
 * broken; should two processes break it at once, both make it, which costs time and harms nothing: files appear by rename.
 */
export async function madeOnce(target: string, progress: Progress, make: () => Promise<void>): Promise<string> {
  const lock = `${target}.lock`;
  await mkdir(dirname(target), { recursive: true });
  let told = false;
  while (!existsSync(target)) {
    if (await tryLock(lock)) {
      try {
        if (!existsSync(target)) await make();
      } finally {
        await rm(lock, { force: true });
      }
    } else if (await isAbandoned(lock)) await rm(lock, { force: true });
    else {
      if (!told) progress(`waiting for another process (lock ${lock})`);
      told = true;
      await delay(200);
    }
  }
  return target;
}
