/**
 * `node dev/servers/cli.ts`: starts the servers, says where they are and keeps them until Ctrl-C.
 * `--build-only` only gets the binaries, kubectl included.
 */
import { parseArgs } from 'node:util';
import { awaitEnd } from './end.ts';
import { createToolLocator, ToolMissing } from './locate-tool.ts';
import { ServerFailed } from './server-process.ts';
import { type Servers, startServers } from './start-servers.ts';
import { type ToolName, tools } from './tools.ts';

const usage = `Usage: node dev/servers/cli.ts [--build-only] [--part kubernetes|temporal] [--nodes N] [--log-dir DIRECTORY]`;

const progress = (line: string) => console.error(`servers: ${line}`);

async function getTools(): Promise<void> {
  const locator = createToolLocator({ progress });
  for (const name of Object.keys(tools) as ToolName[]) console.log(`${name}: ${await locator.locate(name)}`);
  console.log(`kwok stages: ${await locator.kwokStages()}`);
}

function describe(servers: Servers, parts: string): string {
  const lines: string[] = [];
  if (parts !== 'temporal') {
    const { kubeconfig, apiServer, podCidr } = servers.kubernetes;
    lines.push(`export KUBECONFIG=${kubeconfig}`, `API server   ${apiServer}`, `pods         ${podCidr}`);
  }
  if (parts !== 'kubernetes') {
    const { address, namespace, uiUrl } = servers.temporal;
    lines.push(`Temporal     ${address} (namespace ${namespace})`, `Web UI       ${uiUrl}`);
  }
  return [...lines, `logs         ${servers.logDir}`, 'Ctrl-C ends everything.'].join('\n');
}

async function serve(parts: 'both' | 'kubernetes' | 'temporal', nodes: number, logDir?: string): Promise<void> {
  const end = awaitEnd();
  const starting = startServers({ parts, nodes, logDir, onProgress: progress });
  const servers = await Promise.race([starting, end.code]);
  // Told to end while starting: leaving is enough, nothing outlives this process.
  if (typeof servers === 'number') process.exit(servers);
  console.log(describe(servers, parts));
  // A pending promise alone does not keep a process alive.
  const alive = setInterval(() => {}, 60_000);
  await end.code;
  clearInterval(alive);
  progress('stopping');
  await servers.stop();
}

function readArguments() {
  const { values } = parseArgs({
    options: {
      'build-only': { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      'log-dir': { type: 'string' },
      nodes: { type: 'string', default: '1' },
      part: { type: 'string' },
    },
  });
  const part = values.part ?? 'both';
  if (part !== 'both' && part !== 'kubernetes' && part !== 'temporal') throw new TypeError(`--part ${part} is unknown`);
  const nodes = Number(values.nodes);
  if (!Number.isInteger(nodes) || nodes < 1) throw new TypeError('--nodes takes a number from 1');
  return { ...values, part, nodes } as const;
}

async function main(): Promise<void> {
  const { part, nodes, help, 'build-only': buildOnly, 'log-dir': logDir } = readArguments();
  if (help) console.log(usage);
  else if (buildOnly) await getTools();
  else await serve(part, nodes, logDir);
}

try {
  await main();
} catch (error) {
  const expected = error instanceof ToolMissing || error instanceof ServerFailed || error instanceof TypeError;
  console.error(expected ? error.message : error);
  if (error instanceof TypeError) console.error(usage);
  process.exitCode = 1;
}
