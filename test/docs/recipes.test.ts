import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Copy, followed, recipes } from '../support/recipe.ts';

let copy: Copy;
beforeAll(() => {
  copy = followed(recipes);
});
afterAll(() => copy.remove());

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
    writeFileSync(join(copy.root, 'tsconfig.recipes.json'), JSON.stringify({ extends: './tsconfig.json', include }));
    expect(copy.run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.recipes.json')).toBe('');
  });

  it('give CRDs with the new condition, the new action and the new kind', () => {
    expect(copy.run('dev/generate-crds.ts')).toBe('');
    const targetApp = readFileSync(join(copy.root, 'crds/operator.kco.local_targetapps.yaml'), 'utf8');
    expect(targetApp).toMatch(/^\s*- starts_with$/m);
    expect(targetApp).toMatch(/^\s*- label_pod$/m);
    expect(readFileSync(join(copy.root, 'crds/operator.kco.local_beacons.yaml'), 'utf8')).toContain('kind: Beacon');
  });

  it('give tests that pass', () => {
    copy.run('dev/generate-crds.ts');
    const tests = [
      'test/domain/target-app/trigger-conditions',
      'test/api/target-app/actions',
      'test/api/kinds',
      'label-pod',
      'docs/reference',
    ];
    expect(copy.run('--experimental-vm-modules', 'node_modules/jest/bin/jest.js', '--silent', ...tests)).toBe('');
  });
});
