/**
 * A parent for the tests: starts servers, prints what it has as one line of JSON, and then ends in the way that its first
 * argument says, or waits to be killed. Second argument: which parts.
 */
import { type ServersOptions, startServers } from '../../dev/servers/start-servers.ts';

const [, , ending = 'wait', parts = 'temporal'] = process.argv;
const servers = await startServers({ parts: parts as NonNullable<ServersOptions['parts']> });
const kubeconfig = parts === 'temporal' ? undefined : servers.kubernetes.kubeconfig;
console.log(JSON.stringify({ pids: Object.values(servers.pids()), stateDir: servers.stateDir, kubeconfig }));
if (ending === 'crash') setImmediate(() => JSON.parse('{'));
if (ending === 'exit') process.exit(0);
if (ending === 'wait') setInterval(() => {}, 60_000);
