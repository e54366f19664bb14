import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// What `npm run check` is made of, in the order in which a person wants to hear of it.
const checks: { name: string; command: string[] }[] = [
  { name: 'format and lint', command: ['biome', 'ci', '--colors=off', '.'] },
  { name: 'types', command: ['tsc', '-p', '.'] },
  {
    name: 'folder rules',
    command: ['depcruise', '--config', '.dependency-cruiser.cjs', 'src', 'dev', 'test', 'bench'],
  },
  { name: 'unused code', command: ['knip'] },
  { name: 'CRDs up to date', command: ['node', 'dev/generate-crds.ts', '--check'] },
  { name: 'docs up to date', command: ['node', 'dev/generate-docs.ts', '--check'] },
  { name: 'chart up to date', command: ['node', 'dev/generate-chart.ts', '--check'] },
];

const bin = fileURLToPath(new URL('../node_modules/.bin', import.meta.url));

/** Runs one check; shows its output only when it fails. */
const run = ([program = '', ...args]: string[]): Promise<{ code: number; output: string }> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += part));
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });

let failed = 0;
for (const { name, command } of checks) {
  const started = performance.now();
  const { code, output } = await run(command);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  if (code !== 0) {
    failed += 1;
    console.log(output);
  }
}
process.exit(failed === 0 ? 0 : 1);
