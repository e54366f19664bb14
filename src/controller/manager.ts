import type { Client } from '@temporalio/client';
import { HeldTurns } from '../activities/held-turns.ts';
import type { ActivityOptions } from '../activities/index.ts';
import { Lookouts } from '../activities/lookouts.ts';
import type { Kube } from '../clients/kubernetes/client.ts';
import type { Informer } from '../clients/kubernetes/informer/informer.ts';
import { createOpenTurns } from '../clients/temporal/open-turns.ts';
import { createWorkflowStarter } from '../clients/temporal/workflow-starter.ts';
import type { Part } from '../lifecycle/shutdown-stack.ts';
import type { OperatorView } from '../server/operator-probes.ts';
import { type AttributeUse, createAttributeUse } from './attribute-use.ts';
import { type AnyKind, type Controllers, createControllers } from './controllers.ts';
import { createHealthMonitors, type HealthMonitors } from './health-monitors.ts';
import { createKinds, knownOf } from './kinds/index.ts';
import { createLeader, type Leader } from './leader.ts';
import { createOwnedWatches } from './owned-watches.ts';
import { createOwnership, type OwnershipHere } from './ownership.ts';
import { createReplicas } from './replicas.ts';
import type { WatchingOptions } from './watching.ts';

export interface ManagerOptions extends WatchingOptions {
  kube: Kube;
  client: Client;
  temporal: { namespace: string; taskQueue: string };
  identity: { namespace: string; pod: string };
  /** Whether replicas elect the one that signals to Temporal. */
  isElected: boolean;
  /** Whether this replica can look after anything yet. */
  isReady(): boolean;
  /** Temporal is another one, or was away so long that it may be elsewhere now. */
  onTemporalRenewed(): void;
}

/** All that connects Kubernetes with Temporal in this process; the parts are started in this order, and end in the opposite one. */
export interface Manager {
  /** What is watched and known, for the activities. */
  known: Pick<
    ActivityOptions,
    | 'caches'
    | 'lookouts'
    | 'heldTurns'
    | 'openTurns'
    | 'ownership'
    | 'pods'
    | 'searchAttributes'
    | 'whenChanged'
    | 'whenGone'
  >;
  watches: Part;
  monitors: Part;
  signals: Part;
  leader: Part;
  /** What of all objects is this replica's. */
  replicas: Part;
  /** How all of it is, for probes. */
  view: Omit<OperatorView, 'workers'>;
}

/** The only one looks after everything. */
const aloneWith = (ownership: OwnershipHere): Part => ({
  start: () => void ownership.set(() => true),
  stop: async () => undefined,
});

const together = (parts: readonly Part[]): Part => ({
  start: () => {
    for (const part of parts) part.start();
  },
  stop: async () => void (await Promise.all(parts.map((part) => part.stop()))),
});

interface Parts {
  kinds: readonly AnyKind[];
  caches: Record<string, Informer<unknown>>;
  pods: Informer<unknown>;
  monitors: HealthMonitors;
  leader: Leader;
  ownership: OwnershipHere;
  pending(): number;
  turns(): number;
}

const viewOf = ({ kinds, caches, pods, monitors, leader, ownership, pending, turns }: Parts): Manager['view'] => ({
  ...monitors,
  lease: () =>
    ownership.takesPart() ? { ok: true } : { ok: false, message: 'the Lease of this replica is not seen yet' },
  leader: leader.describe,
  caches,
  pending,
  turns,
  pods: pods.scopes,
  kinds: kinds.map(({ cache, registration: { ref } }) => ({
    resource: ref.plural,
    served: () => monitors.kind(ref),
    scopes: cache.scopes,
  })),
});

/** Looks after Temporal, Kubernetes and namespaces; when Temporal is back every object's workflow is made sure of. */
function monitorsOf(
  { onTemporalRenewed, ...options }: ManagerOptions,
  kinds: readonly AnyKind[],
  attributes: AttributeUse,
  { resync }: Controllers,
): HealthMonitors {
  return createHealthMonitors({
    ...options,
    attributes,
    temporalNamespace: options.temporal.namespace,
    refs: kinds.map(({ registration }) => registration.ref),
    onTemporalBack: () => void resync(),
    onTemporalRenewed: () => {
      onTemporalRenewed();
      void resync();
    },
  });
}

/** Puts together the watches, the controllers of all kinds, the election and the health monitors; none of them runs yet. */
export function createManager(options: ManagerOptions): Manager {
  const { kube, client, temporal, log, metrics, isElected, identity } = options;
  const attributes = createAttributeUse(client, temporal.namespace, log);
  const starter = createWorkflowStarter(client, temporal.taskQueue, attributes);
  const [heldTurns, openTurns, ownership] = [new HeldTurns(), createOpenTurns(client.activity), createOwnership()];
  const lookouts = new Lookouts();
  const telling = { starter, heldTurns, openTurns, lookouts, owns: ownership.owns };
  const { controllers, pods } = createKinds(telling, options);
  const kinds: AnyKind[] = Object.values(controllers);
  const signals = createControllers(kinds, { metrics, starter });
  ownership.onChange(signals.takeOver);
  const leader = createLeader({ kube, log, metrics, isElected, identity });
  const replicas = isElected
    ? createReplicas({ ...options, ownership, isLeading: leader.isLeading })
    : aloneWith(ownership);
  const monitors = monitorsOf(options, kinds, attributes, signals);
  const owned = createOwnedWatches(kinds, options);
  const caches = {
    pods: pods.cache,
    ...Object.fromEntries(kinds.map(({ cache, registration: { ref } }) => [ref.plural, cache])),
  };
  const parts = { kinds, caches, pods: pods.cache, monitors, leader, ownership };
  return {
    known: {
      ...knownOf(controllers),
      ...{ pods: pods.watched, lookouts, heldTurns, openTurns, ownership },
      searchAttributes: attributes.usable,
    },
    watches: together([...Object.values(caches), ...owned]),
    monitors,
    signals,
    leader,
    replicas,
    view: viewOf({ ...parts, pending: () => signals.pending, turns: () => heldTurns.size }),
  };
}
