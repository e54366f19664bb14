import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

let root: string;

const at = (path: string) => join(root, path);

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text, { mode });
}

const prints = (text: string) => `#!/bin/sh\necho '${text}'\n`;

/** An npm that notes that it was called and installs a Node of the given version. */
function fakeNpm(nodeVersion: string): void {
  const script = `#!/bin/sh
echo "$@" >> '${at('npm-calls')}'
mkdir -p node_modules/.bin
printf '#!/bin/sh\\necho ${nodeVersion}\\n' > node_modules/.bin/node
chmod +x node_modules/.bin/node
touch node_modules/.package-lock.json
`;
  write('bin/npm', script, 0o755);
}

function installed(nodeVersion: string): void {
  write('node_modules/.bin/node', prints(nodeVersion), 0o755);
  write('node_modules/.package-lock.json', '{}');
}

function setup() {
  const env = { PATH: `${at('bin')}:/usr/bin:/bin` };
  const { status, stderr } = spawnSync(process.execPath, [at('dev/setup.mjs')], { encoding: 'utf8', env });
  return { status, stderr, ranNpm: existsSync(at('npm-calls')) };
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kco-setup-'));
  write('package-lock.json', '{}');
  mkdirSync(at('dev'));
  copyFileSync(fileURLToPath(new URL('../../dev/setup.mjs', import.meta.url)), at('dev/setup.mjs'));
  fakeNpm('v24.1.0');
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('setup', () => {
  it('installs the dependencies of a fresh checkout and says so', () => {
    expect(setup()).toMatchObject({ status: 0, ranNpm: true, stderr: expect.stringContaining('npm ci') });
  });

  it('runs the script it is given with the Node of the project, with its arguments, and ends as that ends', () => {
    write(
      'node_modules/.bin/node',
      '#!/bin/sh\n[ "$1" = --version ] && echo v24.1.0 && exit\necho "ran $@"\nexit 7\n',
      0o755,
    );
    write('node_modules/.package-lock.json', '{}');
    const { status, stdout } = spawnSync(process.execPath, [at('dev/setup.mjs'), 'dev/test.ts', '--flag'], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 7, stdout: 'ran dev/test.ts --flag\n' });
  });

  it('does and says nothing when everything is in place', () => {
    installed('v22.19.0');
    expect(setup()).toEqual({ status: 0, ranNpm: false, stderr: '' });
  });

  it('installs again when the lock file has changed since', () => {
    installed('v24.1.0');
    const later = new Date(Date.now() + 60_000);
    utimesSync(at('package-lock.json'), later, later);
    expect(setup()).toMatchObject({ status: 0, ranNpm: true });
  });

  it.each(['v20.20.2', 'v22.18.0', 'v18.0.0'])(
    'refuses node_modules/.bin/node %s and says what is needed',
    (version) => {
      installed(version);
      expect(setup()).toMatchObject({
        status: 1,
        stderr: expect.stringContaining(`is ${version}, Node >= 22.19 is needed`),
      });
    },
  );

  it('fails when the installation fails', () => {
    write('bin/npm', '#!/bin/sh\nexit 7\n', 0o755);
    expect(setup()).toMatchObject({ status: 1, stderr: expect.stringContaining('npm ci failed') });
  });
});
