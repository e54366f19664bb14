import type { TargetAppStatus } from '../../src/api/target-app/status.ts';
import { apply, get, kubectl, list, tryKubectl } from './cluster.ts';
import { until } from './command.ts';
import { shop } from './shop.ts';

/** An Event of a TargetApp. */
export interface Event {
  reason: string;
  type: string;
  message: string;
  count?: number;
  involvedObject: { kind: string; name: string };
  related?: { name: string };
}

type RuleStatus = NonNullable<TargetAppStatus['rules']>[number];

/** A TargetApp that watches the shop every two seconds. */
export const targetApp = (name: string, actions: object[], more: object = {}): object => ({
  apiVersion: 'operator.kco.local/v1alpha1',
  kind: 'TargetApp',
  metadata: { name, namespace: shop },
  spec: {
    selector: { matchLabels: { app: 'shop' } },
    stateQuery: '{ application { health status pendingTasks } }',
    pollingInterval: 2,
    timeout: 2,
    actions,
    ...more,
  },
});

export const statusOf = async (name: string): Promise<TargetAppStatus | undefined> =>
  (await get<{ status?: TargetAppStatus }>('targetapp', name, shop))?.status;

/** All that Kubernetes tells of a TargetApp. */
export const story = async (name: string): Promise<string> =>
  (await tryKubectl('describe', 'targetapp', name, '-n', shop)).stdout;

/** Waits until it is watched, every pod of it. */
export const monitored = async (app: object, pods: number): Promise<TargetAppStatus> => {
  await apply(app);
  const { name } = (app as { metadata: { name: string } }).metadata;
  return until(
    `${name} watches ${pods} pods`,
    async () => {
      const status = await statusOf(name);
      return status?.phase === 'Monitoring' && status.pods?.observed === pods && status;
    },
    { seen: () => story(name) },
  );
};

/** Waits until a rule's action has ended. */
export const outcomeOf = (
  name: string,
  rule: string,
  { timeoutMs = 60_000 } = {},
): Promise<NonNullable<RuleStatus['lastOutcome']>> =>
  until(
    `an outcome of ${name}/${rule}`,
    async () => (await statusOf(name))?.rules?.find((each) => each.name === rule)?.lastOutcome,
    { timeoutMs, seen: () => story(name) },
  );

/** The Events of TargetApps, found as a person would look for them. */
export const events = (): Promise<Event[]> =>
  list<Event>('events', shop, '--field-selector', 'involvedObject.kind=TargetApp');

/** Those of one TargetApp. */
export const eventsOf = async (name: string): Promise<Event[]> =>
  (await events()).filter(({ involvedObject }) => involvedObject.name === name);

/** How often Events of that reason have been told. */
export const times = (all: Event[], reason: string): number =>
  all.filter((event) => event.reason === reason).reduce((sum, { count = 1 }) => sum + count, 0);

export const remove = (name: string): Promise<string> => kubectl('delete', 'targetapp', name, '-n', shop);
