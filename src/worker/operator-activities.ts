import { type Activities, type ActivityOptions, createActivities } from '../activities/index.ts';
import { createGraphql } from '../clients/graphql/client.ts';
import { createSubscriber } from '../clients/graphql/subscription/subscriber.ts';
import { createHttp } from '../clients/http/http-client.ts';
import type { Kube } from '../clients/kubernetes/client.ts';
import type { Config } from '../config/config.ts';
import type { WorkflowRef } from '../domain/refs.ts';

/** What the activities share with the rest of the operator. */
export interface OperatorActivitiesOptions
  extends Pick<
    ActivityOptions,
    | 'caches'
    | 'ending'
    | 'lookouts'
    | 'heldTurns'
    | 'log'
    | 'metrics'
    | 'openTurns'
    | 'ownership'
    | 'pods'
    | 'redact'
    | 'searchAttributes'
    | 'whenChanged'
    | 'whenGone'
  > {
  config: Config;
  version: string;
  kube: Kube;
}

const retries = 3;

const workflowUrlIn =
  ({ temporal: { webUrl, namespace } }: Config) =>
  ({ id, runId }: WorkflowRef): string | undefined =>
    webUrl === undefined
      ? undefined
      : `${webUrl.replace(/\/$/, '')}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(id)}/${runId}/history`;

function clientsOf({ config: { observing }, kube }: OperatorActivitiesOptions): ActivityOptions['clients'] {
  const http = createHttp({
    maxBytes: observing.maxResponseBytes,
    connectionsPerHost: observing.maxConnectionsPerHost,
    maxAgeMs: observing.maxConnectionAgeMs,
  });
  const subscriber = createSubscriber({ maxBytes: observing.maxResponseBytes });
  const rate = { perSecond: observing.maxRequestsPerHost, burst: 2 * observing.maxRequestsPerHost };
  return { kube, http, subscriber, graphql: createGraphql({ http, retries: observing.maxRetries, rate }) };
}

const defaultsOf = ({ observing, actions }: Config, version: string): ActivityOptions['defaults'] => ({
  intervalMs: observing.defaultIntervalMs,
  timeoutMs: observing.timeoutMs,
  actionTimeoutMs: actions.timeoutMs,
  retries,
  queriesAtOnce: observing.maxConcurrentQueries,
  heartbeatMs: observing.statusHeartbeatMs,
  turnMs: observing.turnMs,
  salt: version,
});

/** All activities, as the configuration wants them. */
export function createOperatorActivities(options: OperatorActivitiesOptions): Activities {
  const { config, version, kube: _, ...shared } = options;
  return createActivities({
    ...shared,
    clients: clientsOf(options),
    namespaces: config.kubernetes.watchNamespaces,
    defaults: defaultsOf(config, version),
    enabledActions: config.actions.enabled,
    patchKinds: config.actions.patchKinds,
    limits: { maxStateBytes: config.observing.maxStateBytes },
    slots: config.worker.slots,
    maxPolls: config.observing.maxConcurrentPolls,
    maxSubscriptions: config.observing.maxSubscriptions,
    instance: config.identity.pod,
    workflowUrl: workflowUrlIn(config),
  });
}
