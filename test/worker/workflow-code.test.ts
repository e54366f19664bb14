import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { workflowCode } from '../../src/worker/workflow-code.ts';

const kept = mkdtempSync(join(tmpdir(), 'kco-kept-'));
afterAll(() => rmSync(kept, { recursive: true }));

it('workflows are bundled from source once, and what others were bundled from is removed after a day', async () => {
  const old = join(kept, 'old.js');
  writeFileSync(old, '');
  utimesSync(old, 0, 0);
  const code = await workflowCode(kept);
  expect(code).toContain('resourceChanged');
  expect(code).toMatch(/const \{ Array, .*, WeakSet \} = globalThis;/);
  // One such character would double what the code takes of memory.
  expect(/[\u0100-\uffff]/.test(code)).toBe(false);
  const [file = '', ...others] = readdirSync(kept);
  expect(others).toEqual([]);
  expect(readFileSync(join(kept, file), 'utf8')).toBe(code);

  writeFileSync(join(kept, file), 'what is kept');
  expect(await workflowCode(kept)).toBe('what is kept');
});
