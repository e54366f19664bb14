// Writes the pages of docs/ that are made from code. `--check` writes nothing and fails when a page is not as it would be written.
import { readFileSync, writeFileSync } from 'node:fs';
import { configurationTable, type VariableRow } from '../src/config/variables.ts';

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

/** Generated pages by path, relative to the repository. */
const pages: Record<string, () => string> = {
  'docs/configuration.md': configurationPage,
};

const written = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const run = (check: boolean): void => {
  const stale = Object.entries(pages).filter(([path, text]) => written(path) !== text());
  for (const [path, text] of stale) {
    if (check) console.error(`${path} is not what the code says: run \`node dev/generate-docs.ts\``);
    else {
      writeFileSync(path, text());
      console.log(`wrote ${path}`);
    }
  }
  if (check && stale.length > 0) process.exitCode = 1;
};

if (import.meta.main) run(process.argv.includes('--check'));
