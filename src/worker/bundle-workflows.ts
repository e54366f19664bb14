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
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, code);
