import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Fetch } from '../../dev/servers/download-release.ts';
import { createToolLocator, ToolMissing } from '../../dev/servers/locate-tool.ts';
import { type ToolName, thisPlatform, tools } from '../../dev/servers/tools.ts';

let home: string;
let lines: string[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'kco-locate-'));
  lines = [];
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

/** An executable that prints a text, whatever its arguments. */
function program(directory: string, name: string, prints: string): string {
  mkdirSync(join(home, directory), { recursive: true });
  const path = join(home, directory, name);
  writeFileSync(path, `#!/bin/sh\necho '${prints}'\n`, { mode: 0o755 });
  return path;
}

const unreachable: Fetch = async () => {
  throw new TypeError('fetch failed');
};

/** Without Go: only the given folders are on PATH. */
function locator(env: NodeJS.ProcessEnv = {}, fetch: Fetch = unreachable) {
  const surroundings = { XDG_CACHE_HOME: join(home, 'cache'), PATH: join(home, 'bin'), ...env };
  return createToolLocator({ env: surroundings, fetch, progress: (line) => lines.push(line) });
}

function cached(name: ToolName): string {
  return program('cache/kco/bin', `${name}-${tools[name].version}`, 'cached');
}

const content = '#!/bin/sh\necho released\n';

/** A release site with one file and its checksum. */
function releases(digest: string): Fetch {
  return async (url) => new Response(url.endsWith('.sha256') ? `${digest}\n` : content);
}

describe('locating a tool', () => {
  it('takes the binary that the variable names before everything else', async () => {
    const mine = program('mine', 'my-etcd', 'anything');
    program('bin', 'etcd', 'etcd Version: 3.6.1');
    cached('etcd');
    await expect(locator({ KCO_ETCD: mine }).locate('etcd')).resolves.toBe(mine);
  });

  it('says so when the variable names no executable file, and does not look further', async () => {
    cached('etcd');
    const wrong = locator({ KCO_ETCD: join(home, 'nowhere') }).locate('etcd');
    await expect(wrong).rejects.toThrow(/^KCO_ETCD names .*nowhere, which is not an executable file/);
  });

  it.each([
    ['etcd', 'etcd Version: 3.6.1'],
    ['kube-apiserver', 'Kubernetes v1.34.9'],
    ['kubectl', 'Client Version: v1.32.4'],
    ['kwok', 'kwok version v0.8.1 go1.26 (linux/amd64)'],
    ['temporal', 'temporal version 1.5.1 (Server 1.29.1)'],
  ] as const)('takes a compatible %s on PATH before the cache', async (name, version) => {
    const onPath = program('bin', name, version);
    cached(name);
    await expect(locator().locate(name)).resolves.toBe(onPath);
  });

  it.each([
    ['etcd', 'etcd Version: 3.3.1'],
    ['kube-apiserver', 'Kubernetes v1.29.0'],
    ['kwok', 'kwok version v0.5.0'],
    ['temporal', 'temporal version 1.2.0'],
  ] as const)('takes %s from the cache when the one on PATH is another version', async (name, version) => {
    program('bin', name, version);
    const expected = cached(name);
    await expect(locator().locate(name)).resolves.toBe(expected);
  });

  it('downloads a release whose checksum is the published one, once', async () => {
    const digest = createHash('sha256').update(content).digest('hex');
    const { locate } = locator({}, releases(digest));
    const paths = await Promise.all([locate('kubectl'), locate('kubectl')]);
    expect(paths[0]).toBe(paths[1]);
    expect(readFileSync(paths[0], 'utf8')).toBe(content);
    expect(statSync(paths[0]).mode & 0o111).toBe(0o111);
    expect(lines.filter((line) => line.includes('downloading'))).toHaveLength(1);
  });

  it('unpacks a release that is an archive with a list of checksums', async () => {
    program('archive', 'temporal', 'released');
    execFileSync('tar', ['-czf', join(home, 'temporal.tar.gz'), '-C', join(home, 'archive'), 'temporal']);
    const archive = readFileSync(join(home, 'temporal.tar.gz'));
    const digest = createHash('sha256').update(archive).digest('hex');
    const site: Fetch = async (url) => {
      const name = `temporal_cli_${tools.temporal.version}_${thisPlatform().os}_${thisPlatform().arch}.tar.gz`;
      return url.endsWith(`/${name}`)
        ? new Response(archive)
        : new Response(`${'0'.repeat(64)}  other\n${digest}  ${name}\n`);
    };
    // tar is looked up on this process's own PATH.
    const path = await locator({}, site).locate('temporal');
    expect(execFileSync(path, { encoding: 'utf8' })).toBe('released\n');
  });

  it('refuses a release with another checksum', async () => {
    const { locate } = locator({}, releases('0'.repeat(64)));
    await expect(locate('kubectl')).rejects.toThrow(/has the checksum [0-9a-f]{64}, published is 0{64}/);
    await expect(locator().locate('kubectl')).rejects.toBeInstanceOf(ToolMissing);
  });

  it('asks an unreachable site only once', async () => {
    let asked = 0;
    const counting: Fetch = async (url) => {
      asked += 1;
      return unreachable(url);
    };
    const { locate } = locator({}, counting);
    await Promise.allSettled([locate('kube-apiserver'), locate('kube-scheduler'), locate('kubectl')]);
    expect(asked).toBe(1);
  });

  it('says what was tried and what would help when a tool is nowhere to be had', async () => {
    program('bin', 'kwok', 'kwok version v0.5.0');
    const error: unknown = await locator()
      .locate('kwok')
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ToolMissing);
    expect((error as ToolMissing).message.split('\n')).toEqual([
      'kwok 0.8.0 was not found and could not be made:',
      '  - KCO_KWOK: not set',
      `  - PATH: ${join(home, 'bin/kwok')} has another version`,
      `  - cache: no ${join(home, 'cache/kco/bin/kwok-0.8.0')}`,
      '  - official release: none with checksums for this platform',
      '  - build from source: Go is not installed',
      'Install Go >= 1.26 (https://go.dev/dl), or set KCO_KWOK to the path of its binary.',
    ]);
  });

  it('breaks a lock whose holder has died', async () => {
    const digest = createHash('sha256').update(content).digest('hex');
    mkdirSync(join(home, 'cache/kco/bin'), { recursive: true });
    const lock = join(home, `cache/kco/bin/kubectl-${tools.kubectl.version}.lock`);
    // Above any pid that the kernel gives out.
    writeFileSync(lock, '99999999');
    await expect(locator({}, releases(digest)).locate('kubectl')).resolves.toContain('kubectl-');
    expect(() => statSync(lock)).toThrow('ENOENT');
  });
});
