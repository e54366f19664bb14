import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..', '..');
const config = join(root, '.dependency-cruiser.cjs');
const { forbidden } = createRequire(import.meta.url)(config) as { forbidden: { name: string }[] };

/** An import that each rule forbids: who, and whom, and whether it is of a type only. */
const breaches: Record<string, [from: string, to: string, type?: true]> = {
  'activities-uses': ['src/activities/a.ts', 'src/controller/target.ts'],
  'api-uses': ['src/api/a.ts', 'src/clients/target.ts'],
  'clients-uses': ['src/clients/a.ts', 'src/telemetry/target.ts'],
  'config-uses': ['src/config/a.ts', 'src/server/target.ts'],
  'controller-uses': ['src/controller/a.ts', 'src/worker/target.ts'],
  'domain-is-pure': ['src/domain/a.ts', 'node:fs'],
  'general-knows-no-kind': ['src/domain/general.ts', 'src/domain/target-app/target.ts'],
  'http-server': ['src/controller/c.ts', 'hono'],
  'kinds-are-apart': ['src/domain/target-app/a.ts', 'src/domain/beacon/target.ts'],
  'kubernetes-client': ['src/controller/b.ts', '@kubernetes/client-node'],
  'lifecycle-uses': ['src/lifecycle/a.ts', 'src/telemetry/target.ts'],
  'no-circular': ['src/server/back.ts', 'src/server/circle.ts'],
  'no-unresolved': ['dev/a.ts', './nowhere.ts'],
  'nobody-imports-main': ['src/operator.ts', 'src/main.ts'],
  'server-uses': ['src/server/a.ts', 'src/controller/target.ts'],
  'src-stands-alone': ['src/clients/b.ts', 'test/target.ts'],
  'telemetry-uses': ['src/telemetry/a.ts', 'src/server/target.ts'],
  'temporal-client': ['src/activities/b.ts', '@temporalio/client'],
  'worker-uses': ['src/worker/a.ts', 'src/controller/target.ts'],
  'workflows-stay-light': ['src/workflows/a.ts', 'node:crypto'],
  'workflows-uses': ['src/workflows/b.ts', 'src/clients/target.ts', true],
};

let tree: string;
let complaints: string[];

const write = (file: string, text: string): void => {
  const path = join(tree, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), 'kco-rules-'));
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'));
  write('package.json', '{"type":"module"}');
  // The kinds, beside those of this repository one of which only this test knows.
  for (const kind of [...readdirSync(join(root, 'src/api')), 'beacon'])
    if (!kind.endsWith('.ts')) write(`src/api/${kind}/schema.ts`, 'export const kind = 1;\n');
  const targets = Object.values(breaches).map(([, to]) => to);
  for (const to of targets) if (/^(src|test)\//.test(to)) write(to, 'export const target = 1;\n');
  write('src/server/circle.ts', "import './back.ts';\nexport const target = 1;\n");
  for (const [from, to, type] of Object.values(breaches)) {
    const path = relative(dirname(from), to);
    const specifier = /^(src|test)\//.test(to) ? (path.startsWith('.') ? path : `./${path}`) : to;
    const text = type
      ? `import type * as it from '${specifier}';\nexport type Used = typeof it;\n`
      : `import * as it from '${specifier}';\nexport const used = it;\n`;
    write(from, text);
  }
  const bin = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const { NODE_OPTIONS: _, ...env } = process.env;
  const args = [bin, '--config', config, '--output-type', 'json', 'src', 'test', 'dev'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: tree, env, encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  const { summary } = JSON.parse(stdout) as { summary: { violations: { rule: { name: string }; from: string }[] } };
  complaints = summary.violations.map(({ rule, from }) => `${rule.name}: ${from}`);
});

afterAll(() => rmSync(tree, { recursive: true, force: true }));

it('each folder rule has an import here that breaks it', () => {
  expect(Object.keys(breaches).sort()).toEqual(forbidden.map(({ name }) => name).sort());
});

it.each(Object.entries(breaches))('%s fails on such an import', (name, [from]) => {
  expect(complaints).toContain(`${name}: ${from}`);
});

it('nothing else is complained of', () => {
  const wanted = Object.entries(breaches).map(([name, [from]]) => `${name}: ${from}`);
  expect(complaints.toSorted()).toEqual(wanted.toSorted());
});
