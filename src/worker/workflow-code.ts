import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Where an image carries the workflows as one prepared file. */
const prepared = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));
const bundler = fileURLToPath(new URL('./bundle-workflows.ts', import.meta.url));
const source = fileURLToPath(new URL('..', import.meta.url));
/** What a bundle is made of: the code of these rooms (of others it has types only), and the SDK. */
const rooms = ['domain', 'workflows'];
const lockFile = fileURLToPath(new URL('../../package-lock.json', import.meta.url));
/** Where bundles are kept that were made from source; of this user alone, because the worker runs what is there. */
const cache = join(homedir(), '.cache', 'kco', 'workflows');
const keptMs = 24 * 3_600_000;

/** The same for the same sources, bundled in the same way at the same place: a bundle names the files that it was made from. */
async function sourceDigest(): Promise<string> {
  const hash = createHash('sha256')
    .update(source)
    .update(await readFile(bundler))
    .update(await readFile(lockFile));
  for (const room of rooms) {
    const files = await readdir(join(source, room), { recursive: true });
    for (const file of files.filter((name) => name.endsWith('.ts')).sort())
      hash.update(`\0${room}/${file}\0`).update(await readFile(join(source, room, file)));
  }
  return hash.digest('hex').slice(0, 32);
}

/** Bundles beside this process: what webpack needs of memory it never gives back. */
async function bundled(): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'kco-workflows-'));
  try {
    const file = join(scratch, 'bundle.js');
    await promisify(execFile)(process.execPath, ['--no-warnings', bundler, file]);
    return await readFile(file, 'utf8');
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Keeps a bundle for the next start, and removes those that were made more than a day ago. */
async function keep(kept: string, digest: string, code: string): Promise<void> {
  await mkdir(kept, { recursive: true, mode: 0o700 });
  const file = join(kept, `${digest}.js`);
  await writeFile(`${file}.${process.pid}`, code, { mode: 0o600 });
  await rename(`${file}.${process.pid}`, file);
  for (const other of await readdir(kept)) {
    const path = join(kept, other);
    if (Date.now() - (await stat(path)).mtimeMs > keptMs) await rm(path, { force: true });
  }
}

/**
 * The code of the workflows in one file, with its source map: the image's, or one that is made from source, which takes
 * seconds, so it is kept until the source changes.
 */
export async function workflowCode(kept = cache): Promise<string> {
  if (existsSync(prepared)) return readFile(prepared, 'utf8');
  const digest = await sourceDigest();
  const known = await readFile(join(kept, `${digest}.js`), 'utf8').catch(() => undefined);
  if (known !== undefined) return known;
  const code = await bundled();
  // A home that cannot be written to costs the seconds again, and nothing else.
  await keep(kept, digest, code).catch(() => undefined);
  return code;
}
