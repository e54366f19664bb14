// Runs the end-to-end suite against the cluster that kubectl reaches; CONTRIBUTING.md says what it takes from the environment.
import { provideImages } from '../test/e2e/cluster.ts';
import { runNode } from './jest.ts';

const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];

const started = performance.now();
await provideImages();
console.log(`images: ${Math.round((performance.now() - started) / 1000)} s`);

process.exitCode = await runNode([...jest, '--config', 'test/e2e/jest.config.mjs', ...process.argv.slice(2)]);
