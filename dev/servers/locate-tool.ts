import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { cacheDirectory, cachedFile, type Progress, withLock } from './cache.ts';
import { createReachability, downloadRelease, type Fetch } from './download-release.ts';
import { buildWithGo, extractKwokStages, goIsMissing } from './go-build.ts';
import { type Tool, type ToolName, thisPlatform, tools } from './tools.ts';

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
export interface LocatorOptions {
  env?: NodeJS.ProcessEnv;
  fetch?: Fetch;
  progress?: Progress;
}

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

/** Where the search for one tool leaves what did not work, for the message at its end. */
type Tried = string[];

async function fromVariable(tool: Tool, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const named = env[tool.variable];
  if (!named) return undefined;
  if (await isExecutable(named)) return named;
  // Never fall through: a wrong path in the variable is a mistake that its author wants to hear about.
  throw new ToolMissing(`${tool.variable} names ${named}, which is not an executable file. Correct or unset it.`);
}

async function fromRelease(tool: Tool, target: string, tried: Tried, { fetch, reachable, progress }: Sources) {
  const release = tool.release?.(thisPlatform());
  if (release === undefined) {
    tried.push('official release: none with checksums for this platform');
    return false;
  }
  if (!(await reachable(release.url))) {
    tried.push(`official release: ${new URL(release.url).host} cannot be reached`);
    return false;
  }
  try {
    await downloadRelease({ tool, release, target }, fetch, progress);
    return true;
  } catch (error) {
    tried.push(`official release: ${(error as Error).message}`);
    progress(`${tool.name}: no release (${(error as Error).message})`);
    return false;
  }
}

async function fromSource(tool: Tool, target: string, tried: Tried, { env, progress }: Sources): Promise<boolean> {
  const missing = await goIsMissing(env);
  if (missing !== undefined) {
    tried.push(`build from source: ${missing}`);
    return false;
  }
  try {
    await buildWithGo(tool, target, env, progress);
    return true;
  } catch (error) {
    tried.push(`build from source: ${(error as Error).message}`);
    return false;
  }
}

interface Sources {
  env: NodeJS.ProcessEnv;
  fetch: Fetch;
  progress: Progress;
  reachable: (url: string) => Promise<boolean>;
}

function missingMessage(tool: Tool, tried: Tried): string {
  return [
    `${tool.name} ${tool.version} was not found and could not be made:`,
    ...tried.map((line) => `  - ${line}`),
    `Install Go >= 1.26 (https://go.dev/dl), or set ${tool.variable} to the path of its binary.`,
  ].join('\n');
}

async function locate(name: ToolName, sources: Sources): Promise<string> {
  const tool = tools[name];
  const named = await fromVariable(tool, sources.env);
  if (named !== undefined) return named;
  const target = cachedFile(cacheDirectory(sources.env), tool);
  const onPath = await findOnPath(tool, sources.env['PATH'] ?? '');
  if (onPath.file !== undefined) return onPath.file;
  if (await isExecutable(target)) return target;
  const tried = [`${tool.variable}: not set`, `PATH: ${onPath.note}`, `cache: no ${target}`];
  return withLock(`${target}.lock`, sources.progress, async () => {
    if (await isExecutable(target)) return target;
    const got = (await fromRelease(tool, target, tried, sources)) || (await fromSource(tool, target, tried, sources));
    if (!got) throw new ToolMissing(missingMessage(tool, tried));
    return target;
  });
}

async function kwokStages({ env, progress }: Sources): Promise<string> {
  const named = env['KCO_KWOK_STAGES'];
  if (named) return named;
  const target = join(cacheDirectory(env), `kwok-stages-${tools.kwok.version}.yaml`);
  const exists = () =>
    access(target).then(
      () => true,
      () => false,
    );
  if (await exists()) return target;
  return withLock(`${target}.lock`, progress, async () => {
    if (await exists()) return target;
    try {
      await extractKwokStages(target, env);
    } catch (error) {
      const hint = 'Install Go >= 1.26 (https://go.dev/dl), or set KCO_KWOK_STAGES to a file with the stages.';
      throw new ToolMissing(
        `kwok's stage files could not be taken from its module: ${(error as Error).message}\n${hint}`,
      );
    }
    return target;
  });
}

/**
 * Makes a locator. It looks, in this order, at the tool's environment variable, PATH (compatible versions only), the
 * cache, the official release (checksum verified, where the network allows) and a build from the pinned Go module.
 */
export function createToolLocator(options: LocatorOptions = {}): ToolLocator {
  const fetch = options.fetch ?? globalThis.fetch;
  const sources: Sources = {
    env: options.env ?? process.env,
    fetch,
    progress: options.progress ?? (() => {}),
    reachable: createReachability(fetch),
  };
  return { locate: (name) => locate(name, sources), kwokStages: () => kwokStages(sources) };
}
