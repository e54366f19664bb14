import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShutdownStack } from '../../src/lifecycle/shutdown-stack.ts';
import { type SampleApp, startSampleApp } from '../sample-app/app.ts';
import { type Servers, startServers } from '../servers/start-servers.ts';
import { type Cluster, createCluster } from './cluster.ts';
import { createEventLog, type EventLog } from './event-log.ts';
import { appName, basicTargetApp, crds, deployment, examplesNamespace, otherExamples } from './manifests.ts';
import { type OperatorProcess, startOperatorProcess } from './operator-process.ts';
import type { Terminal } from './terminal.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

/** Seconds between two polls of the sample application. */
export const pollingInterval = 5;

/** Everything that the demo is played with. */
export interface Setup {
  servers: Servers;
  app: SampleApp;
  /** Addresses of the pods that were made to hang up on everybody. */
  silent: Set<string>;
  cluster: Cluster;
  operator: OperatorProcess;
  log: EventLog;
}

async function openCluster(terminal: Terminal, stack: ShutdownStack, log: EventLog, forget: (ip: string) => void) {
  const onProgress = (line: string) => terminal.line(terminal.paint.dim(`    ${line}`));
  const servers = await terminal.step('Kubernetes and Temporal', startServers({ onProgress }));
  await stack.push('servers', servers.stop, 30_000);
  // Where commands run that are executed in a pod; removed with the servers, as the operator's log is.
  const workingDir = join(servers.stateDir, 'exec');
  copyFileSync(join(import.meta.dirname, 'health-check.sh'), join(workingDir, 'health-check.sh'));
  const cluster = createCluster(servers.kubernetes.kubeconfig, log, forget);
  await stack.push('watches', cluster.stop);
  return { servers, cluster, workingDir };
}

const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: examplesNamespace } };

async function establish(cluster: Cluster, port: number): Promise<void> {
  await cluster.apply([...crds(), namespace, deployment(port)]);
  await cluster.apps.synced;
}

/** Resolves when the workflow of the sample application has seen its three pods. */
const monitored = ({ seen }: EventLog) =>
  seen({
    what: `${appName} is monitored`,
    kind: 'status',
    since: 0,
    withinMs: 60_000,
    where: ({ app, phase, observed }) => app === appName && phase === 'Monitoring' && observed === 3,
  });

/** Starts everything, each to be ended by `stack`, and resolves when the sample application is monitored. Throws with what could not be had. */
export async function setUp(terminal: Terminal, stack: ShutdownStack): Promise<Setup> {
  const log = createEventLog();
  const app = await startSampleApp();
  await stack.push('sample application', app.close);
  const silent = new Set<string>();
  const forget = (ip: string): void => {
    app.forget(ip);
    app.fault(ip, undefined);
    silent.delete(ip);
  };
  const { servers, cluster, workingDir } = await openCluster(terminal, stack, log, forget);
  const receiver = await startWebhookReceiver(log);
  await stack.push('webhook receiver', receiver.close);
  await terminal.step('the CRD, and the sample application in three pods', establish(cluster, app.port));
  const operator = await terminal.step('the operator, from source', startOperatorProcess(servers));
  await stack.push('operator', operator.stop);
  const basic = basicTargetApp({ pollingInterval, webhookUrl: receiver.url, workingDir });
  const applied = cluster.apply([basic, ...otherExamples()]).then(() => monitored(log));
  await terminal.step('the TargetApps of examples/, and the first poll', applied);
  return { servers, app, silent, cluster, operator, log };
}
