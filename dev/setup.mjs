/**
 * Makes `npm run …` work in a fresh checkout: installs the dependencies when they are missing or out of date, and runs
 * the script that it is given with a Node that can run TypeScript. Plain JavaScript with built-ins only, because it runs
 * before anything is installed, on whatever Node (>= 18) the machine has. It starts the script itself, because a shell
 * that has found one `node` does not look for another one in the same line.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const neededNode = [22, 19];

/** @param {string} message */
function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}

/** npm writes this file last, so it dates the installation and proves that it was finished. */
function isInstalled() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

function install() {
  console.error('setup: installing the dependencies (npm ci), about a minute');
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' });
  if (error) fail(`npm cannot be run: ${error.message}`);
  if (status !== 0) fail('npm ci failed; its messages are above.');
}

/** @param {string} version e.g. v24.21.0 */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  return major > neededNode[0] || (major === neededNode[0] && minor >= neededNode[1]);
}

/** The Node that comes with the project, or this one where there is none and this one will do. */
function nodeThatFits() {
  const local = join(root, 'node_modules', '.bin', 'node');
  const wanted = `Node >= ${neededNode.join('.')}`;
  if (!existsSync(local)) {
    if (isNewEnough(process.version)) return process.execPath;
    fail(
      `this is Node ${process.version}, ${wanted} is needed, and node_modules/.bin/node is not there. ` +
        'It comes with the npm package "node", which needs install scripts: try `npm ci --ignore-scripts=false`, or install a newer Node.',
    );
  }
  const { stdout, status, error } = spawnSync(local, ['--version'], { encoding: 'utf8' });
  if (error || status !== 0)
    fail(`node_modules/.bin/node does not run on this machine; install ${wanted} and use that.`);
  if (!isNewEnough(stdout.trim()))
    fail(`node_modules/.bin/node is ${stdout.trim()}, ${wanted} is needed: run \`npm ci\`.`);
  return local;
}

/** Runs a script in place of this process, as far as exit code and signals go. */
function become(node, script) {
  const child = spawn(node, script, { cwd: root, stdio: 'inherit' });
  // Ctrl-C reaches the child by the terminal; what is sent to this process alone is passed on.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  child.on('error', (error) => fail(`${node} cannot be run: ${error.message}`));
  child.on('close', (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
}

if (!isInstalled()) install();
const node = nodeThatFits();
const script = process.argv.slice(2);
if (script.length > 0) become(node, script);
