// Writes the pages of docs/ that are made from code.
import { join } from 'node:path';
import { configurationTable, type VariableRow } from '../src/config/variables.ts';
import { writeOrCheck } from './write-or-check.ts';

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const fallbackOf = ({ fallback }: VariableRow) => {
  if (fallback === undefined) return '';
  return fallback.startsWith('(') ? fallback.slice(1, -1) : `\`${fallback}\``;
};

const row = (variable: VariableRow) => {
  const { name, unit = '', limit, meaning, secret } = variable;
  return `| \`${name}\` | ${cell(fallbackOf(variable))} | ${unit} | ${cell(limit)} | ${cell(meaning)}.${secret ? ' Secret: never shown.' : ''} |`;
};

/** The page of all environment variables. */
export const configurationPage = (): string => `# Configuration

<!-- Made by \`node dev/generate-docs.ts\` from src/config/variables.ts. Do not edit. -->

KCO is configured by its environment; the Helm chart sets it from \`config\` and its other values. An empty variable counts as
unset. At start all wrong settings are listed at once, one per line with the limit and the fix, and KCO exits; the settings it
works with are logged, without secrets. A \`KCO_\` variable that is not in this table is a warning, because it is most often a typo.
What Kubernetes sets for Services (\`KCO_METRICS_PORT=tcp://…\` for one named \`kco-metrics\`) is passed over.

| Variable | Default | Unit | Allowed | Meaning |
|---|---|---|---|---|
${configurationTable().map(row).join('\n')}

Some settings can be wrong only together, and that is said at start too: a query timeout above the polling interval, one port for
both servers, a state limit above the response limit, a client certificate without its key, an API key beside a file with one, and
an API key or TLS files with TLS switched off.
`;

const docs = join(import.meta.dirname, '..', 'docs');

if (import.meta.main) writeOrCheck({ [join(docs, 'configuration.md')]: configurationPage() });
