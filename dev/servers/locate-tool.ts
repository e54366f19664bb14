import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { cacheDirectory, cachedFile, madeOnce } from './cache.ts';
import { createReachability, downloadRelease, type Surroundings } from './download-release.ts';
import { buildWithGo, extractKwokStages } from './go-build.ts';
import { type Tool, type ToolName, tools } from './tools.ts';

/** A tool is nowhere to be had; the message says what was tried and what would help. */
export class ToolMissing extends Error {
  override readonly name = 'ToolMissing';
}

/** Finds the tools, or gets them. */
export interface ToolLocator {
  /** The path of a binary. Throws {@link ToolMissing}. */
  locate(name: ToolName): Promise<string>;
  /** The path of kwok's stage files, in one YAML file. Throws {@link ToolMissing}. */
  kwokStages(): Promise<string>;
}

/** What the locator takes from its surroundings. */
export type LocatorOptions = Partial<Omit<Surroundings, 'reachable'>>;

/** Whether there is a file that this user may run. */
export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The first compatible binary on PATH, and what was found instead. */
async function findOnPath(tool: Tool, path: string): Promise<{ file?: string; note: string }> {
  for (const directory of path.split(delimiter).filter(Boolean)) {
    const file = join(directory, tool.name);
    if (!(await isExecutable(file))) continue;
    const options = { all: true, reject: false, stdin: 'ignore', timeout: 5_000 } as const;
    const { all = '' } = await execa(file, tool.versionArgs, options);
    if (tool.compatible.test(all)) return { file, note: '' };
    return { note: `${file} has another version` };
  }
  return { note: 'not there' };
}

async function fromVariable(tool: Tool, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const named = env[tool.variable];
  if (!named) return undefined;
  if (await isExecutable(named)) return named;
  // Never fall through: a wrong path in the variable is a mistake that its author wants to hear about.
  throw new ToolMissing(`${tool.variable} names ${named}, which is not an executable file. Correct or unset it.`);
}

function missingMessage(tool: Tool, tried: string[]): string {
  return [
    `${tool.name} ${tool.version} was not found and could not be made:`,
    ...tried.map((line) => `  - ${line}`),
    `Install Go >= 1.26 (https://go.dev/dl), or set ${tool.variable} to the path of its binary.`,
  ].join('\n');
}

const sources = { 'official release': downloadRelease, 'build from source': buildWithGo };

async function locate(name: ToolName, surroundings: Surroundings): Promise<string> {
  const { env, progress } = surroundings;
  const tool = tools[name];
  const named = await fromVariable(tool, env);
  if (named !== undefined) return named;
  const onPath = await findOnPath(tool, env['PATH'] ?? '');
  if (onPath.file !== undefined) return onPath.file;
  const target = cachedFile(cacheDirectory(env), tool);
  return madeOnce(target, progress, async () => {
    const tried = [`${tool.variable}: not set`, `PATH: ${onPath.note}`, `cache: no ${target}`];
    for (const [source, make] of Object.entries(sources)) {
      try {
        return await make(tool, target, surroundings);
      } catch (error) {
        const { message } = error as Error;
        tried.push(`${source}: ${message}`);
        progress(`${name}: no ${source} (${message})`);
      }
    }
    throw new ToolMissing(missingMessage(tool, tried));
  });
}

async function kwokStages({ env, progress }: Surroundings): Promise<string> {
  const named = env['KCO_KWOK_STAGES'];
  if (named) return named;
  const target = join(cacheDirectory(env), `kwok-stages-${tools.kwok.version}.yaml`);
  return madeOnce(target, progress, () =>
    extractKwokStages(target, env).catch((error: Error) => {
      const hint = 'Install Go >= 1.26 (https://go.dev/dl), or set KCO_KWOK_STAGES to a file with the stages.';
      throw new ToolMissing(`kwok's stage files could not be taken from its module: ${error.message}\n${hint}`);
    }),
  );
}

/**
 * Makes a locator. It looks, in this order, at the tool's environment variable, PATH (compatible versions only), the
 * cache, the official release (checksum verified, where the network allows) and a build from the pinned Go module.
 */
export function createToolLocator(options: LocatorOptions = {}): ToolLocator {
  const fetch = options.fetch ?? globalThis.fetch;
  const surroundings: Surroundings = {
    env: options.env ?? process.env,
    fetch,
    progress: options.progress ?? (() => {}),
    reachable: createReachability(fetch),
  };
  return { locate: (name) => locate(name, surroundings), kwokStages: () => kwokStages(surroundings) };
}
