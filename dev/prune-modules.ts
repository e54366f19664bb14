// Takes out of a node_modules folder what a running operator never opens, and sees that what stays still loads:
// node dev/prune-modules.ts <folder>
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** They make the bundle of the workflows, which is done by then. The SDK asks for some as it loads, and uses them only to bundle. */
const bundlers: Record<string, 'absent' | 'empty'> = {
  '@swc/core': 'absent',
  memfs: 'empty',
  'source-map-loader': 'absent',
  'swc-loader': 'absent',
  unionfs: 'empty',
  webpack: 'empty',
};

/** What a package has for other platforms, other loaders and its own authors. Nothing that Node resolves leads there. */
const leftovers: Record<string, string[]> = {
  '@kubernetes/client-node': ['dist/gen/types/PromiseAPI.js'],
  '@temporalio/core-bridge': ['Cargo.lock', 'Cargo.toml', 'bridge-macros', 'scripts', 'sdk-core', 'src', 'ts'],
  protobufjs: ['dist'],
  rxjs: ['dist/bundles', 'dist/esm', 'dist/esm5', 'src'],
};
const ofAuthors = ['benchmark', 'benchmarks', 'docs', 'test', 'tests'];
/** Types, maps and prose. Node never runs TypeScript below node_modules. */
const needless = /\.(map|md|markdown|flow|[cm]?ts)$/i;
const license = /^licen[cs]e/i;
const processors: Record<string, string> = { arm64: 'aarch64', x64: 'x86_64' };

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

/** The packages in a node_modules folder and in those below it. */
function* packagesIn(modules: string): Generator<string> {
  for (const { name } of existsSync(modules) ? readdirSync(modules, { withFileTypes: true }) : []) {
    const path = join(modules, name);
    if (name.startsWith('@')) yield* packagesIn(path);
    else if (existsSync(join(path, 'package.json'))) {
      yield path;
      yield* packagesIn(join(path, 'node_modules'));
    }
  }
}

/** Where Node finds a package that one in `from` asks for. */
function found(name: string, from: string): string | undefined {
  const path = join(from, 'node_modules', name);
  if (existsSync(path)) return path;
  return dirname(from) === from ? undefined : found(name, dirname(from));
}

/** Bare is another runtime, and types are of none. */
const isOfNoUse = (name: string): boolean => name in bundlers || /^(bare-|@types\/)/.test(name);

/** Adds the packages that one needs to `needed`, and those that they need. */
function gather(folder: string, needed: Set<string>): Set<string> {
  const { dependencies, optionalDependencies, peerDependencies } = manifestOf(folder);
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
    const path = isOfNoUse(name) ? undefined : found(name, folder);
    if (path === undefined || needed.has(path)) continue;
    needed.add(path);
    gather(path, needed);
  }
  return needed;
}

const remove = (path: string): void => rmSync(path, { recursive: true, force: true });

function keepOnly(needed: Set<string>, modules: string): void {
  for (const path of [...packagesIn(modules)]) if (!needed.has(path)) remove(path);
  for (const [name, left] of Object.entries(bundlers)) {
    if (left === 'absent') continue;
    mkdirSync(join(modules, name));
    writeFileSync(join(modules, name, 'package.json'), JSON.stringify({ name, main: 'index.js' }));
    writeFileSync(join(modules, name, 'index.js'), '// The workflows are bundled already.\nmodule.exports = {};\n');
  }
}

/** The SDK's native library comes for five platforms. */
function keepOwnLibrary(modules: string): void {
  const releases = join(modules, '@temporalio/core-bridge/releases');
  const own = `${processors[process.arch]}-unknown-linux-gnu`;
  const all = readdirSync(releases);
  if (!all.includes(own)) throw new Error(`Temporal has no library for ${own}: it has ${all}`);
  for (const release of all) if (release !== own) remove(join(releases, release));
}

function removeLeftovers(modules: string): void {
  for (const path of packagesIn(modules))
    for (const each of [...ofAuthors, ...(leftovers[manifestOf(path).name] ?? [])]) remove(join(path, each));
  for (const entry of readdirSync(modules, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && needless.test(entry.name) && !license.test(entry.name))
      remove(join(entry.parentPath, entry.name));
}

/** Loads what the operator imports: an upgrade that needs what is gone fails here, and not in a cluster. */
async function load(root: string): Promise<void> {
  const { resolve: resolved } = createRequire(join(root, 'package.json'));
  for (const name of Object.keys(manifestOf(root).dependencies ?? {})) await import(pathToFileURL(resolved(name)).href);
}

async function prune(modules: string): Promise<void> {
  const root = dirname(modules);
  keepOnly(gather(root, new Set()), modules);
  keepOwnLibrary(modules);
  removeLeftovers(modules);
  await load(root);
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('which folder?');
await prune(resolve(folder));
