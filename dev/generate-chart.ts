// Writes what the chart has from elsewhere: CRDs, schema of its values, table of values, dashboard. `--check` writes nothing and
// exits 1 where something differs.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dashboard } from './chart/dashboard.ts';
import { valuesSchema } from './chart/values-schema.ts';
import { valuesTable } from './chart/values-table.ts';

const root = join(import.meta.dirname, '..');
const chart = join(root, 'charts', 'kco-operator');

const asJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const begin = '<!-- values: made by `node dev/generate-chart.ts` from values.yaml -->';
const end = '<!-- end of values -->';

const readme = (): string => {
  const text = read(join(chart, 'README.md')) ?? '';
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`charts/kco-operator/README.md lacks the lines ${begin} and ${end}`);
  return `${before}${begin}\n\n${valuesTable(read(join(chart, 'values.yaml')) ?? '')}\n\n${end}${after}`;
};

/** The generated files of the chart: path → content. */
const generated = (): Map<string, string> =>
  new Map([
    ...readdirSync(join(root, 'crds')).map((file): [string, string] => [
      join(chart, 'files', 'crds', file),
      readFileSync(join(root, 'crds', file), 'utf8'),
    ]),
    [join(chart, 'files', 'dashboard.json'), asJson(dashboard())],
    [join(chart, 'values.schema.json'), asJson(valuesSchema())],
    [join(chart, 'README.md'), readme()],
  ]);

function main(check: boolean): number {
  const stale = [...generated()].filter(([path, content]) => read(path) !== content);
  for (const [path, content] of stale) {
    if (!check) writeFileSync(path, content);
    console.log(check ? `${path} is not what it is made from: run \`node dev/generate-chart.ts\`` : `wrote ${path}`);
  }
  return check && stale.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exitCode = main(process.argv.includes('--check'));
