import { execa } from 'execa';

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

// Every check runs, and shows its output only when it fails.
for (const { name, command } of checks) {
  const [program = '', ...args] = command;
  const run = await execa(program, args, { all: true, preferLocal: true, reject: false, stdin: 'ignore' });
  console.log(`${run.failed ? 'FAIL' : 'ok  '} ${name} (${(run.durationMs / 1000).toFixed(1)} s)`);
  if (!run.failed) continue;
  console.log(run.all || run.shortMessage);
  process.exitCode = 1;
}
