import { execFileSync } from 'node:child_process';

/** Whether a process runs; one that has ended and was not waited for yet does not. */
export const isRunning = (pid: number): boolean => {
  try {
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z');
  } catch {
    return false;
  }
};

/** All processes that a process has started, and those that they have; of these only the ones whose command line has `mentions`. */
export function descendantsOf(root: number, mentions = ''): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,args='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line))
    .map((match) => ({ pid: Number(match?.[1]), parent: Number(match?.[2]), args: match?.[3] ?? '' }));
  const found: typeof rows = [];
  let parents = new Set([root]);
  while (parents.size > 0) {
    const children = rows.filter(({ parent }) => parents.has(parent));
    found.push(...children);
    parents = new Set(children.map(({ pid }) => pid));
  }
  return found.filter(({ args }) => args.includes(mentions)).map(({ pid }) => pid);
}
