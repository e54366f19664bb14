import type { Client } from '@temporalio/client';
import type { Kube, ResourceRef } from '../clients/kubernetes/client.ts';
import type { CheckResult } from '../server/checks.ts';
import { createHealthMonitor, type HealthMonitor } from '../server/health-monitor.ts';
import { worse } from '../server/readiness.ts';
import type { Log } from '../telemetry/logger.ts';
import { createAbsentNamespaces } from './absent-namespaces.ts';
import type { AttributeUse } from './attribute-use.ts';
import { createTemporalPrerequisites } from './preflight.ts';
import { createServedKinds } from './served-kinds.ts';

/** What is looked at, and who is told. */
export interface HealthMonitorsOptions {
  kube: Kube;
  client: Client;
  log: Log;
  temporalNamespace: string;
  attributes: AttributeUse;
  /** Watched namespaces; empty: all. */
  namespaces: readonly string[];
  /** The kinds whose CustomResourceDefinitions there must be. */
  refs: ResourceRef[];
  /** Temporal is back after a moment. */
  onTemporalBack(): void;
  /** Temporal is another one, or was away so long that it may be elsewhere now. */
  onTemporalRenewed(): void;
}

/** Looks after Kubernetes, Temporal and the namespaces in the background; a check reads what was found last. */
export interface HealthMonitors {
  start(): void;
  stop(): Promise<void>;
  kubernetes(): CheckResult;
  temporal(): CheckResult;
  /** Absent where all namespaces are watched. */
  namespaces?: () => CheckResult;
  /** Whether the API server knows this kind. */
  kind(ref: ResourceRef): CheckResult;
}

/** How often Temporal and the API server are asked whether they are there. */
const everyMs = 3_000;
/** How often it is looked whether the watched namespaces are there. */
const namespacesEveryMs = 30_000;
/** After an absence of Temporal this long the worker takes a new connection. */
const staleConnectionMs = 10_000;

const onFailing = (log: Log, what: string) => (error: unknown) => log.warning(`${what} health check failed`, { error });

function monitorTemporal(options: HealthMonitorsOptions): HealthMonitor {
  const { client, log, temporalNamespace, attributes, onTemporalBack, onTemporalRenewed } = options;
  const prerequisites = createTemporalPrerequisites(client, temporalNamespace, attributes);
  return createHealthMonitor({
    everyMs,
    check: async (signal) => {
      const { isNew, registered } = await client.withAbortSignal(signal, prerequisites.ensure);
      if (registered.length > 0) log.info('search attributes registered', { search_attributes: registered });
      if (isNew) onTemporalRenewed();
    },
    onRecovered: (lostMs) => (lostMs < staleConnectionMs ? onTemporalBack() : onTemporalRenewed()),
    onFailing: onFailing(log, 'temporal'),
  });
}

export function createHealthMonitors(options: HealthMonitorsOptions): HealthMonitors {
  const { kube, log, attributes, namespaces, refs } = options;
  const servedKinds = createServedKinds(kube, refs, log);
  const absent = createAbsentNamespaces(kube, namespaces);
  const kubernetes = createHealthMonitor({
    everyMs,
    check: async (signal) => {
      await kube.ready({ signal });
      await servedKinds.look(signal);
    },
    onFailing: onFailing(log, 'kubernetes'),
  });
  const temporal = monitorTemporal(options);
  const all = [temporal, kubernetes, createHealthMonitor({ everyMs: namespacesEveryMs, check: absent.look })];
  return {
    start: () => {
      for (const monitor of all) monitor.start();
    },
    stop: async () => void (await Promise.all(all.map((monitor) => monitor.stop()))),
    kubernetes: () => kubernetes.result,
    temporal: () => worse(temporal.result, attributes.check()),
    namespaces: namespaces.length > 0 ? absent.check : undefined,
    kind: servedKinds.check,
  };
}
