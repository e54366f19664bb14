import { join } from 'node:path';
import { stringify } from 'yaml';
import { crdOf } from '../src/api/crd/crd.ts';
import { kinds } from '../src/api/kinds.ts';
import { type Generated, writeOrCheck } from './write-or-check.ts';

const folder = join(import.meta.dirname, '..', 'crds');
const header = '# Generated from src/api by dev/generate-crds.ts. Do not edit.\n';

/** The CustomResourceDefinitions, made from the zod schemas in src/api. */
export const crdFiles = (): Generated =>
  Object.fromEntries(
    Object.values(kinds).map((kind) => [
      join(folder, `${kind.group}_${kind.plural}.yaml`),
      header + stringify(crdOf(kind), { lineWidth: 120, aliasDuplicateObjects: false }),
    ]),
  );

if (import.meta.main) writeOrCheck(crdFiles());
