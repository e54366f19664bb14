import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

// `node src/worker/bundle-workflows.ts FILE`: puts all workflows into one file, as the worker loads them. An image carries that
// file; from source the operator runs this beside itself, because what webpack needs of memory it never gives back.

const [out] = process.argv.slice(2);
if (out === undefined) throw new TypeError('usage: node src/worker/bundle-workflows.ts FILE');

const quiet = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error: (message: string) => void process.stderr.write(`${message}\n`),
  log() {},
};
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
  preloadModules: [fileURLToPath(new URL('../workflows/preloaded.ts', import.meta.url))],
  logger: quiet,
  // All modules in one scope: how the source is split into files costs the bundle nothing.
  webpackConfigHook: (config) => ({
    ...config,
    output: { ...config.output, pathinfo: false },
    optimization: { ...config.optimization, concatenateModules: true, providedExports: true, usedExports: true },
  }),
});

/**
 * Globals that stay what they are for as long as a worker lives. In the sandbox each mention of a global asks through Node's `vm`,
 * some 0.5 microseconds a time; a constant of the bundle is thirty times as fast. Not those that the SDK replaces for each workflow.
 */
const lasting =
  'Array, ArrayBuffer, BigInt, Boolean, DataView, Error, JSON, Map, Math, Number, Object, Promise, Proxy, RangeError, Reflect, RegExp, Set, String, Symbol, TypeError, Uint8Array, WeakMap, WeakSet';
const bootstrap = '(() => { // webpackBootstrap';
if (!code.includes(bootstrap)) throw new Error('the bundle does not begin as webpack lets it begin');
// On the line that is there, so that the source map still fits.
const quick = code.replace(bootstrap, `(() => { const { ${lasting} } = globalThis; // webpackBootstrap`);
// One character beyond Latin-1 would make every one of them take two bytes, here and in the sandbox's thread.
const narrow = quick.replace(/[\u0100-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, narrow);
