import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Servers } from '../servers/start-servers.ts';

const bytesPerMib = 1024 * 1024;

/** Memory that a process holds, in MiB; 0 when it is gone. */
export function rssMib(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** Temporal's database with its log, in MiB. */
export const temporalDatabaseMib = ({ stateDir }: Servers): number =>
  ['', '-wal'].reduce((sum, suffix) => sum + sizeOf(join(stateDir, `temporal.db${suffix}`)), 0) / bytesPerMib;

/** All files of etcd, in MiB. */
export function etcdMib({ stateDir }: Servers): number {
  const directory = join(stateDir, 'kubernetes', 'etcd');
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return files.reduce((sum, file) => sum + sizeOf(join(directory, file)), 0) / bytesPerMib;
}
