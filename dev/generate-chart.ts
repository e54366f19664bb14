// Writes what the chart has from elsewhere: schema of its values, ranges of numbers, kinds, table of values. Its CRDs are those
// of crds/, by a symbolic link that Helm follows, also when it packages.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kind } from '../src/api/crd/crd.ts';
import { kinds } from '../src/api/kinds.ts';
import { groupOf } from '../src/clients/kubernetes/paths.ts';
import { configRanges } from './chart/config-schema.ts';
import { valuesSchema } from './chart/values-schema.ts';
import { valuesTable } from './chart/values-table.ts';
import { writeOrCheck } from './write-or-check.ts';

const chart = join(import.meta.dirname, '..', 'charts', 'kco-operator');
const read = (file: string): string => readFileSync(join(chart, file), 'utf8');
const asJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const begin = '<!-- values: made by `node dev/generate-chart.ts` from values.yaml -->';
const end = '<!-- end of values -->';

const readme = (): string => {
  const [before, rest] = read('README.md').split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`charts/kco-operator/README.md lacks the lines ${begin} and ${end}`);
  return `${before}${begin}\n\n${valuesTable(read('values.yaml'))}\n\n${end}${after}`;
};

/** The kinds, and what they own: what the operator needs rights for. */
const kindsInChart = () =>
  Object.values<Kind>(kinds).map(({ group, plural, owns = [] }) => ({
    group,
    plural,
    owns: owns.map((type) => ({ group: groupOf(type.apiVersion), plural: type.plural })),
  }));

writeOrCheck({
  [join(chart, 'files', 'kinds.json')]: asJson(kindsInChart()),
  [join(chart, 'files', 'config-ranges.json')]: asJson(configRanges()),
  [join(chart, 'values.schema.json')]: asJson(valuesSchema()),
  [join(chart, 'README.md')]: readme(),
});
