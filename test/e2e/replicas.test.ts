import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TargetAppStatus } from '../../src/api/status.ts';
import { apply, get, isReady, kubectl, list, type Pod, restrictedNamespace, tryKubectl } from './cluster.ts';
import { until } from './command.ts';
import { install, operator, operatorPods, removeAll, system } from './release.ts';
import { freshShop, mutate, received, receiver, sampleApp, settled, shop } from './shop.ts';
import { type Event, events, monitored, remove, targetApp, times } from './target-app.ts';

// Two replicas, the leading one of which is killed every 30 seconds, while all TargetApps see health come and go. What was really done
// stands in two ledgers: that of the receiver of the webhooks, and the pods that were made in place of restarted ones.

/** TargetApps that watch the shop and tell; and such as restart a pod of their own, too. */
const telling = Array.from({ length: 40 }, (_, index) => `tells-${index}`);
const restarting = Array.from({ length: 10 }, (_, index) => `restarts-${index}`);
const all = [...telling, ...restarting];

const killEveryMs = 30_000;
/** An outage of polls of half a minute at the most, and then some polls: no change falls into a gap. */
const phaseMs = 38_000;
/** How long it goes on; at least two flips. */
const seconds = Math.max(160, Number(process.env['KCO_E2E_REPLICAS_SECONDS'] ?? 300));
const flips = Math.ceil((seconds * 1000) / (2 * phaseMs));

const figures: Record<string, string> = {};

const tell = (name: string, trigger: object): object => ({
  name: 'tell',
  trigger,
  action: 'webhook',
  parameters: { url: `http://receiver.${shop}.svc/ledger/${name}` },
});
const when = (field: string, value: string): object => ({ field, condition: 'equals', value });

const teller = (name: string): object =>
  targetApp(name, [tell(name, when('application.status', 'degraded'))], { pollingInterval: 5 });
const restarter = (name: string): object => {
  const trigger = when('application.health', 'unhealthy');
  return targetApp(name, [tell(name, trigger), { name: 'restart', trigger, action: 'restart_pod' }], {
    pollingInterval: 5,
    selector: { matchLabels: { app: name } },
  });
};

const leader = async (): Promise<string> =>
  (await get<{ spec?: { holderIdentity?: string } }>('lease', 'kco-operator', system))?.spec?.holderIdentity ?? '';

/** The leading pod, while the other one could take over. */
const leaderOfTwo = async (): Promise<string | undefined> => {
  const ready = (await operatorPods()).filter(isReady).map(({ metadata }) => metadata.name);
  const leads = await leader();
  return ready.length === 2 && ready.includes(leads) ? leads : undefined;
};

/** SIGKILL, with no time to say goodbye. Within a pod's own process namespace nothing can kill process 1, hence the shared one. */
const killScript = `
const { readdirSync, readFileSync } = require('node:fs');
for (const pid of readdirSync('/proc').filter((name) => /^\\d+$/.test(name))) {
  if (Number(pid) === process.pid) continue;
  try {
    if (readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('src/main.ts')) process.kill(Number(pid), 'SIGKILL');
  } catch {}
}`;

const crash = async (victim: string): Promise<boolean> => {
  const { code } = await tryKubectl('exec', victim, '-n', system, '--', 'node', '-e', killScript);
  // A new pod starts at once; a container that is killed again and again would be made to wait.
  await kubectl('delete', 'pod', victim, '-n', system, '--grace-period=0', '--force', '--wait=false');
  return code === 0;
};
const stop = (victim: string): Promise<string> => kubectl('delete', 'pod', victim, '-n', system, '--wait=false');

beforeAll(async () => {
  // What a run that was broken off has left.
  await removeAll(shop);
  await apply(restrictedNamespace(system), restrictedNamespace(shop));
  await apply(...receiver());
  await install('--set=replicaCount=2');
  const shared = JSON.stringify({ spec: { template: { spec: { shareProcessNamespace: true } } } });
  await kubectl('patch', 'deployment', operator, '-n', system, '--type=merge', '-p', shared);
  await kubectl('rollout', 'status', `deployment/${operator}`, '-n', system, '--timeout=120s');
  await freshShop(1);
}, 900_000);

afterAll(async () => {
  for (const [what, figure] of Object.entries(figures)) console.log(`${what}: ${figure}`);
  await removeAll(shop);
}, 180_000);

it.each([
  ['is stopped', stop, 2],
  ['crashes', crash, 15],
] as const)(
  'another replica leads soon after the one that leads %s, and honours what was applied meanwhile',
  async (how, end, limit) => {
    const before = await until('a leader of two', leaderOfTwo);
    const started = performance.now();
    await end(before);
    await apply(targetApp('meanwhile', []));
    await until('another leader', async () => ![before, ''].includes(await leader()));
    const after = (performance.now() - started) / 1000;
    figures[`leader ${how} to another one that leads`] = `${after.toFixed(1)} s`;
    expect(after).toBeLessThanOrEqual(limit);
    await monitored(targetApp('meanwhile', []), 1);
    figures[`leader ${how} to a TargetApp that was applied meanwhile being watched`] =
      `${((performance.now() - started) / 1000).toFixed(1)} s`;
    await remove('meanwhile');
  },
);

/** The pods that ReplicaSets have made for an application, ever. */
const created = async (): Promise<Record<string, number>> => {
  const made = await list<Event>('events', shop, '--field-selector', 'involvedObject.kind=ReplicaSet');
  return Object.fromEntries(
    restarting.map((name) => [
      name,
      times(
        made.filter(({ involvedObject }) => involvedObject.name.startsWith(`${name}-`)),
        'SuccessfulCreate',
      ),
    ]),
  );
};

const podsOfRestarting = (): Promise<Pod[]> => settled(restarting.length, `app in (${restarting.join()})`);

it(
  `reports every flip of ${all.length} TargetApps and acts on every episode as promised, while the leader of two replicas is killed every 30 s`,
  async () => {
    await apply(...restarting.map((name) => sampleApp(1, name)));
    await podsOfRestarting();
    await apply(...telling.map(teller), ...restarting.map(restarter));
    await until(
      'all to be watched',
      async () => {
        const watched = await kubectl(
          'get',
          'targetapps',
          '-n',
          shop,
          '-o',
          'jsonpath={.items[*].status.pods.observed}',
        );
        return watched.split(' ').filter((observed) => observed === '1').length === all.length;
      },
      { timeoutMs: 120_000 },
    );
    const [shared] = await settled(1);

    let going = true;
    let kills = 0;
    const killing = (async () => {
      for (let next = Date.now() + killEveryMs; going; next += killEveryMs) {
        await until('the next kill', async () => !going || Date.now() >= next, { timeoutMs: killEveryMs * 2 });
        const victim = going && (await leaderOfTwo());
        if (victim && (await crash(victim))) kills += 1;
      }
    })();
    const uids = new Set<string>();
    for (let flip = 0; flip < flips; flip += 1) {
      const pods = await podsOfRestarting();
      for (const { metadata } of pods) uids.add(metadata.uid);
      let next = Date.now() + phaseMs;
      await mutate(shared?.metadata.name ?? '', 'setStatus(status: "degraded")');
      for (const { metadata } of pods) await mutate(metadata.name, 'setHealth(health: "unhealthy")');
      await until('the next phase', async () => Date.now() >= next);
      next += phaseMs;
      await mutate(shared?.metadata.name ?? '', 'setStatus(status: "running")');
      await until('the next phase', async () => Date.now() >= next);
    }
    going = false;
    await killing;
    for (const { metadata } of await podsOfRestarting()) uids.add(metadata.uid);
    expect(kills).toBeGreaterThanOrEqual(Math.floor((2 * flips * phaseMs) / killEveryMs) - 2);

    const every = <T>(names: string[], value: T) => Object.fromEntries(names.map((name) => [name, value]));
    const requests = await received('/ledger/');
    const ledger = Map.groupBy(requests, ({ path }) => path.slice('/ledger/'.length));
    const episodes = [...ledger].map(([app, those]) => [app, new Set(those.map(({ key }) => key)).size]);
    figures['kills and what came of them'] =
      `${kills} kills, ${flips} flips, ${all.length * flips} episodes, ${requests.length} webhooks, ${restarting.length * flips} restarts`;
    expect(Object.fromEntries(episodes)).toEqual(every(all, flips));
    expect(await created()).toEqual(every(restarting, flips + 1));
    expect(uids.size).toBe(restarting.length * (flips + 1));

    const told = Map.groupBy(await events(), ({ involvedObject }) => involvedObject.name);
    const counts = (names: string[]) =>
      Object.fromEntries(
        names.map((name) => {
          const its = told.get(name) ?? [];
          return [name, ['StateChanged', 'TriggerFired', 'ActionSucceeded'].map((reason) => times(its, reason))];
        }),
      );
    expect(counts(telling)).toEqual(every(telling, [2 * flips, flips, flips]));
    expect(counts(restarting)).toEqual(every(restarting, [flips, 2 * flips, 2 * flips]));

    const outcomes = (await list<{ status?: TargetAppStatus }>('targetapps', shop)).flatMap(
      ({ status }) => status?.rules?.map(({ lastOutcome }) => lastOutcome?.status) ?? [],
    );
    expect(outcomes).toEqual(Array(telling.length + 2 * restarting.length).fill('succeeded'));
  },
  2 * flips * phaseMs + 240_000,
);
