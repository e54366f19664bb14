// Takes out of a node_modules folder what a running operator never opens: node dev/prune-modules.ts <folder>
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Types, sources and prose. Node never runs TypeScript below node_modules. */
const needless = /\.(map|md|markdown|flow|[cm]?ts)$/i;

/** The SDK's native library comes for five platforms, and with its own Rust sources. */
const bridge = '@temporalio/core-bridge';
const bridgeSources = ['Cargo.lock', 'Cargo.toml', 'bridge-macros', 'scripts', 'sdk-core', 'src', 'ts'];
/** Compiles workflows when they are bundled, which is done by then. */
const compilers = /^core-/;
const processors: Record<string, string> = { arm64: 'aarch64', x64: 'x86_64' };

const platform = (): string => `${processors[process.arch]}-unknown-linux-gnu`;

function prune(folder: string): void {
  for (const source of bridgeSources) rmSync(join(folder, bridge, source), { recursive: true, force: true });
  const releases = readdirSync(join(folder, bridge, 'releases'));
  if (!releases.includes(platform())) throw new Error(`Temporal has no library for ${platform()}: it has ${releases}`);
  for (const release of releases)
    if (release !== platform()) rmSync(join(folder, bridge, 'releases', release), { recursive: true });
  for (const each of readdirSync(join(folder, '@swc')).filter((name) => compilers.test(name)))
    rmSync(join(folder, '@swc', each), { recursive: true });
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && needless.test(entry.name)) rmSync(join(entry.parentPath, entry.name));
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('which folder?');
prune(folder);
