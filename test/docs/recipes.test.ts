import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { apply, recipesIn } from '../support/recipe.ts';

const root = join(import.meta.dirname, '..', '..');
const recipes = recipesIn(readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8'));
/** What makes a copy slow and is not needed in it. */
const left = ['.cache', '.git', 'coverage', 'dist', 'node_modules'];

let copy: string;

/** Runs a tool of the repository in the copy. Returns what it complains of; empty when it ends well. */
const run = (...args: string[]) => {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, env, encoding: 'utf8' });
  return status === 0 ? '' : stdout + stderr;
};

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'kco-recipes-'));
  for (const name of readdirSync(root).filter((entry) => !left.includes(entry)))
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const block of recipes.flatMap(({ blocks }) => blocks)) apply(copy, block);
});

afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('the recipes of CONTRIBUTING.md, all followed in a copy', () => {
  it('are those for a condition, an action and a kind', () => {
    expect(recipes.map(({ title }) => title)).toEqual(['Add a trigger condition', 'Add an action', 'Add a kind']);
    for (const { blocks } of recipes) expect(blocks.length).toBeGreaterThan(2);
  });

  it('give code that compiles', () => {
    const wanted = [
      'src',
      'test/api',
      'test/controller',
      'test/docs',
      'test/domain/target-app/trigger-conditions.test.ts',
    ];
    const include = [...wanted, 'test/activities/target-app/actions/label-pod.test.ts'];
    writeFileSync(join(copy, 'tsconfig.recipes.json'), JSON.stringify({ extends: './tsconfig.json', include }));
    expect(run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.recipes.json')).toBe('');
  });

  it('give CRDs with the new condition, the new action and the new kind', () => {
    expect(run('dev/generate-crds.ts')).toBe('');
    const targetApp = readFileSync(join(copy, 'crds/operator.kco.local_targetapps.yaml'), 'utf8');
    expect(targetApp).toMatch(/^\s*- starts_with$/m);
    expect(targetApp).toMatch(/^\s*- label_pod$/m);
    expect(readFileSync(join(copy, 'crds/operator.kco.local_beacons.yaml'), 'utf8')).toContain('kind: Beacon');
  });

  it('give tests that pass', () => {
    run('dev/generate-crds.ts');
    const tests = [
      'test/domain/target-app/trigger-conditions',
      'test/api/target-app/actions',
      'test/api/kinds',
      'label-pod',
      'beacon-registration',
      'docs/reference',
    ];
    expect(run('--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--silent', ...tests)).toBe('');
  });
});
