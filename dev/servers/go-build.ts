import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { writeAtomically } from './cache.ts';
import type { Surroundings } from './download-release.ts';
import { type Tool, tools } from './tools.ts';

const moduleDirectory = (module: string) => fileURLToPath(new URL(`./tools/${module}`, import.meta.url));

/** The user's Go settings must not turn the pinned build into another one; C is not needed and often not there. */
function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' };
}

function lastLines(output: string): string {
  return output.trim().split('\n').slice(-5).join('\n');
}

/** Runs Go with this environment and nothing of ours; a failure is a result. */
const runGo = async (args: string[], env: NodeJS.ProcessEnv, cwd?: string) => {
  const { failed, all, shortMessage } = await execa('go', args, {
    cwd,
    env: goEnvironment(env),
    extendEnv: false,
    stdin: 'ignore',
    all: true,
    reject: false,
  });
  return { failed, output: all || shortMessage || '' };
};

async function go(args: string[], module: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { failed, output } = await runGo(args, env, moduleDirectory(module));
  if (failed) throw new Error(`go ${args[0]} failed: ${lastLines(output)}`);
  return output;
}

/** Throws when Go cannot build the tools. */
async function requireGo(env: NodeJS.ProcessEnv): Promise<void> {
  const { failed, output } = await runGo(['env', 'GOVERSION'], env);
  if (failed) throw new Error('Go is not installed');
  const minor = Number(/^go1\.(\d+)/m.exec(output)?.[1] ?? 0);
  // An older Go fetches the toolchain that go.mod asks for, unless it is older than that feature.
  if (minor < 21) throw new Error(`${output.trim()} is too old`);
}

/** Builds a tool from its pinned Go module. The first time this downloads modules and takes minutes. */
export async function buildWithGo(tool: Tool, target: string, { env, progress }: Surroundings): Promise<void> {
  await requireGo(env);
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  progress(`${tool.name} ${tool.version}: building from source (once; the first tools take some minutes)`);
  const ticker = setInterval(() => progress(`${tool.name}: still building, ${seconds()}`), 10_000);
  try {
    const ldflags = ['-s -w', tool.build.ldflags].filter(Boolean).join(' ');
    await writeAtomically(target, async (temporary) => {
      const args = ['build', '-trimpath', '-ldflags', ldflags, '-o', temporary, tool.build.package];
      await go(args, tool.build.module, env);
    });
  } finally {
    clearInterval(ticker);
  }
  progress(`${tool.name}: built in ${seconds()}`);
}

/** The stages that make nodes Ready and pods Running at once, and end pods as soon as they are deleted. */
const stageFiles = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat/node-heartbeat.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
];

/** Puts kwok's own stage files, which the binary does not contain, into one file: taken from its module. */
export async function extractKwokStages(target: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { module } = tools.kwok.build;
  await go(['mod', 'download', 'sigs.k8s.io/kwok'], module, env);
  const directory = (await go(['list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kwok'], module, env)).trim();
  const stages = stageFiles.map((file) => readFile(join(directory, 'kustomize', 'stage', file), 'utf8'));
  const text = (await Promise.all(stages)).join('\n---\n');
  await writeAtomically(target, (temporary) => writeFile(temporary, text));
}
