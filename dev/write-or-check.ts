import { readFileSync, writeFileSync } from 'node:fs';

/** Files that are made from code: what they should hold, by path. */
export type Generated = Record<string, string>;

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** The paths of those that are not there, or hold something else. */
export const stale = (files: Generated): string[] => Object.keys(files).filter((path) => read(path) !== files[path]);

/** Writes the stale ones. With the argument `--check` it writes nothing, and the process fails when there are any. */
export function writeOrCheck(files: Generated): void {
  const check = process.argv.includes('--check');
  for (const path of stale(files)) {
    if (!check) writeFileSync(path, files[path] ?? '');
    console.log(check ? `${path} is not what it is made from: run \`npm run generate\`` : `wrote ${path}`);
    if (check) process.exitCode = 1;
  }
}
