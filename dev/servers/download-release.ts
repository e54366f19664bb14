import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdtemp, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execa } from 'execa';
import { type Progress, writeAtomically } from './cache.ts';
import { type Release, type Tool, thisPlatform } from './tools.ts';

/** The part of `fetch` that downloads need. */
export type Fetch = (url: string, init?: { method?: string; signal?: AbortSignal }) => Promise<Response>;

/** What the ways to get a tool take from where they run. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  fetch: Fetch;
  progress: Progress;
  /** Whether the host of a URL can be reached. */
  reachable(url: string): Promise<boolean>;
}

const probeTimeoutMs = 1_500;
const downloadTimeoutMs = 600_000;

/** Asks each host once per run whether it can be reached: where it cannot, every further try would only cost time. */
export function createReachability(fetch: Fetch): (url: string) => Promise<boolean> {
  const answers = new Map<string, Promise<boolean>>();
  return (url) => {
    const { origin } = new URL(url);
    const known =
      answers.get(origin) ??
      fetch(origin, { method: 'HEAD', signal: AbortSignal.timeout(probeTimeoutMs) }).then(
        () => true,
        () => false,
      );
    answers.set(origin, known);
    return known;
  };
}

async function get(fetch: Fetch, url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(downloadTimeoutMs) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response;
}

async function expectedDigest(fetch: Fetch, release: Release): Promise<string> {
  const text = await (await get(fetch, release.checksumUrl)).text();
  const name = basename(release.url);
  const line = text.split('\n').find((each) => each.trim().endsWith(name)) ?? text;
  const digest = /^[0-9a-f]{64}\b/i.exec(line.trim())?.[0];
  if (digest === undefined) throw new Error(`${release.checksumUrl} has no checksum of ${name}`);
  return digest.toLowerCase();
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

async function unpack(archive: string, member: string): Promise<string> {
  const directory = dirname(archive);
  await execa('tar', ['-xzf', archive, '-C', directory, member], { stdin: 'ignore' });
  return join(directory, member);
}

/** Downloads an official release, refuses it unless its SHA-256 is the published one, and puts the binary at `target`. */
export async function downloadRelease(
  tool: Tool,
  target: string,
  { fetch, reachable, progress }: Surroundings,
): Promise<void> {
  const release = tool.release?.(thisPlatform());
  if (release === undefined) throw new Error('none with checksums for this platform');
  if (!(await reachable(release.url))) throw new Error(`${new URL(release.url).host} cannot be reached`);
  progress(`${tool.name} ${tool.version}: downloading ${release.url}`);
  // In the cache itself, because a rename does not work from one file system to another.
  const directory = await mkdtemp(join(dirname(target), '.download-'));
  try {
    const file = join(directory, basename(release.url));
    const [digest, response] = await Promise.all([expectedDigest(fetch, release), get(fetch, release.url)]);
    if (response.body === null) throw new Error(`${release.url} is empty`);
    await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
    const actual = await sha256(file);
    if (actual !== digest) throw new Error(`${release.url} has the checksum ${actual}, published is ${digest}`);
    const binary = release.member === undefined ? file : await unpack(file, release.member);
    await chmod(binary, 0o755);
    await writeAtomically(target, (temporary) => rename(binary, temporary));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
