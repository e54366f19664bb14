import { delimiter, dirname } from 'node:path';
import { createToolLocator } from '../servers/locate-tool.ts';
import type { Stage } from './stage.ts';
import type { Terminal } from './terminal.ts';

/** The keys that do something, as the screen names them. */
const keysText = 'b break a pod   m mend all   s change a status   u make one unreachable   h this help   q quit';

/** A line that puts kubectl on the PATH, when it is not there already; empty when none can be had. */
export async function kubectlLine(path: string | undefined): Promise<string[]> {
  const kubectl = await createToolLocator()
    .locate('kubectl')
    .catch(() => undefined);
  if (kubectl === undefined) return ['# kubectl is not on this machine: install it to try these'];
  if (path?.split(delimiter).includes(dirname(kubectl))) return [];
  return [`alias kubectl=${kubectl}`];
}

/** A mutation against one pod: what a person may do to the application without this demo. */
const breakLine = (url: string): string =>
  `curl -s ${url} -H 'content-type: application/json' -d '{"query":"mutation { setHealth(health: \\"unhealthy\\") { health } }"}'`;

/** Where everything is, and what to try. */
export function printDirections(stage: Stage, terminal: Terminal, kubectl: string[]): void {
  const { servers, cluster, operator, app } = stage;
  const { line, paint } = terminal;
  const place = (what: string, where: string | undefined) => line(`  ${what.padEnd(14)} ${paint.cyan(where ?? '-')}`);
  const paste = (text: string) => line(`    ${text}`);
  line();
  place('Web UI', servers.temporal.uiUrl);
  place('my-app there', cluster.app()?.workflow?.url);
  place('metrics', operator.metricsUrl);
  place('health', `${operator.healthUrl}/readyz`);
  place('operator log', operator.logFile);
  line();
  line(paint.bold('  To try in another terminal:'));
  for (const text of kubectl) paste(text);
  paste(`export KUBECONFIG=${servers.kubernetes.kubeconfig}`);
  paste('kubectl get ta -A');
  paste('kubectl get events --field-selector involvedObject.kind=TargetApp');
  paste('kubectl describe ta my-app');
  paste('kubectl explain targetapp.spec.actions');
  paste('kubectl annotate ta my-app kco.local/poll-requested-at="$(date)" --overwrite');
  const [pod] = cluster.runningPods();
  if (pod !== undefined) paste(breakLine(app.url(pod.ip)));
  line();
  if (terminal.isInteractive) line(`  ${paint.bold('Keys:')} ${keysText}`);
  else line('  Ctrl-C ends everything.');
  line();
}
