// Writes the workflows as the one file that a worker loads: node dev/image/bundle-workflows.ts <file>
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('which file?');
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
});
writeFileSync(file, code);
console.log(`${file}: ${Math.round(code.length / 1024)} KiB`);
