import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { crdOf, type Kind } from '../src/api/crd/crd.ts';
import { kinds } from '../src/api/kinds.ts';

// Writes crds/*.yaml from the zod schemas in src/api; with --check it writes nothing and exits 1 where they differ.

const folder = join(import.meta.dirname, '..', 'crds');
const header = '# Generated from src/api by dev/generate-crds.ts. Do not edit.\n';

/** File name and content of the CustomResourceDefinition of a kind. */
export const crdFile = (kind: Kind): { path: string; content: string } => ({
  path: join(folder, `${kind.group}_${kind.plural}.yaml`),
  content: header + stringify(crdOf(kind), { lineWidth: 120, aliasDuplicateObjects: false }),
});

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** The files that differ from what the schemas say. */
export const drifted = (): string[] =>
  Object.values(kinds)
    .map(crdFile)
    .filter(({ path, content }) => read(path) !== content)
    .map(({ path }) => path);

function main(check: boolean): number {
  const different = drifted();
  if (!check) for (const { path, content } of Object.values(kinds).map(crdFile)) writeFileSync(path, content);
  for (const path of different)
    console.log(check ? `${path} differs from src/api: run node dev/generate-crds.ts` : `wrote ${path}`);
  return check && different.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = main(process.argv.includes('--check'));
