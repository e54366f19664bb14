import { delimiter, join } from 'node:path';
import { createToolLocator, isExecutable, ToolMissing } from '../servers/locate-tool.ts';
import { examplesNamespace } from './manifests.ts';
import type { Setup } from './setup.ts';
import type { Terminal } from './terminal.ts';

/** The keys that do something, as the screen names them. */
const keysText = 'b break a pod   m mend all   s change a status   u make one unreachable   h this help   q quit';

/** The line that makes `kubectl` work in a shell with this PATH; none when it does already. */
export async function kubectlLines(terminal: Terminal, path = ''): Promise<string[]> {
  const onPath = await Promise.all(path.split(delimiter).map((folder) => isExecutable(join(folder, 'kubectl'))));
  if (onPath.includes(true)) return [];
  try {
    return [`alias kubectl=${await terminal.step('kubectl', createToolLocator().locate('kubectl'))}`];
  } catch (error) {
    if (!(error instanceof ToolMissing)) throw error;
    return ['# there is no kubectl on this machine: install it to try these'];
  }
}

/** A mutation against one pod: what a person may do to the application without this demo. */
const breakLine = (url: string): string =>
  `curl -s ${url} -H 'content-type: application/json' -d '{"query":"mutation { setHealth(health: \\"unhealthy\\") { health } }"}'`;

/** Where everything is, and what to try. */
export function printInstructions(setup: Setup, terminal: Terminal, kubectl: string[]): void {
  const { servers, cluster, operator, app } = setup;
  const { line, paint } = terminal;
  const place = (what: string, where: string | undefined) => line(`  ${what.padEnd(14)} ${paint.cyan(where ?? '-')}`);
  const paste = (text: string) => line(`    ${text}`);
  line();
  place('Web UI', servers.temporal.uiUrl);
  place('my-app there', cluster.app()?.status?.workflow?.url);
  place('metrics', operator.metricsUrl);
  place('health', `${operator.healthUrl}/readyz`);
  place('operator log', operator.logFile);
  line();
  line(paint.bold('  To try in another terminal:'));
  for (const text of kubectl) paste(text);
  paste(`export KUBECONFIG=${servers.kubernetes.kubeconfig}`);
  paste('kubectl get ta -o wide');
  paste('kubectl get events --field-selector involvedObject.kind=TargetApp');
  paste('kubectl describe ta my-app');
  paste('kubectl explain targetapp.spec.actions');
  paste('kubectl annotate ta my-app kco.local/poll-requested-at="$(date)" --overwrite');
  paste(`kubectl get ta -n ${examplesNamespace}     # the other examples, suspended`);
  const [pod] = cluster.runningPods();
  if (pod !== undefined) paste(breakLine(app.url(pod.ip)));
  line();
  if (terminal.isInteractive) line(`  ${paint.bold('Keys:')} ${keysText}`);
  else line('  Ctrl-C ends everything.');
  line();
}
