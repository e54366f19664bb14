import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { TargetAppStatus } from '../../src/api/target-app/status.ts';
import { startStopwatch } from '../support/pace.ts';
import { apply, get, isReady, kubectl, list, type Pod, restrictedNamespace, tryKubectl } from './cluster.ts';
import { until } from './command.ts';
import { install, operator, operatorPods, removeAll, system } from './release.ts';
import { freshShop, mutate, received, receiver, sampleApp, settled, shop } from './shop.ts';
import { type Event, events, monitored, remove, story, targetApp, times } from './target-app.ts';

// Two replicas, the leading one of which is killed every 30 seconds, while all TargetApps see health come and go. What was really done
// stands in two ledgers: that of the receiver of the webhooks, and the pods that were made in place of restarted ones.

/** TargetApps that watch the shop and tell; and such as restart a pod of their own, too. */
const telling = Array.from({ length: 40 }, (_, index) => `tells-${index}`);
const restarting = Array.from({ length: 10 }, (_, index) => `restarts-${index}`);
const all = [...telling, ...restarting];

const killEveryMs = 30_000;
/** How often the applications fall ill and recover. Either lasts until a leader was killed meanwhile, and all was told. */
const flips = Math.max(2, Math.round(Number(process.env['KCO_E2E_REPLICAS_SECONDS'] ?? 300) / 75));
/**
 * How long it may take until a change is told of every TargetApp. A lost replica is noticed within 15 seconds at each of the
 * steps that it may have been lost in (a poll, what is concluded from it, an Event), and the next one is killed meanwhile.
 */
const tellingMs = 120_000;

/** How long before a kill the applications change, in turn: it hits polls, conclusions, actions and Events of the change. */
const leadsMs = [4_000, 12_000, 2_000, 8_000];

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
  return targetApp(
    name,
    [tell(name, trigger), { name: 'restart', trigger, action: 'restart_pod', maxFirings: { max: flips, per: '1h' } }],
    {
      pollingInterval: 5,
      selector: { matchLabels: { app: name } },
    },
  );
};

const leader = async (): Promise<string> =>
  (await get<{ spec?: { holderIdentity?: string } }>('lease', 'kco-operator', system))?.spec?.holderIdentity ?? '';

/** The leading pod, when the other one can take over. */
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

const secondsSince = (started: number): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;

it.each([
  ['is stopped', stop, 2],
  ['crashes', crash, 15],
] as const)(
  'another replica leads soon after the one that leads %s, and honours what was applied meanwhile',
  async (how, end, limit) => {
    const before = await until('a leader of two', leaderOfTwo);
    const started = performance.now();
    const untilLed = startStopwatch();
    await end(before);
    await apply(targetApp('meanwhile', []));
    await until('another leader', async () => ![before, ''].includes(await leader()));
    figures[`leader ${how} to another one that leads`] = secondsSince(started);
    expect(untilLed.stop()).toBeLessThanOrEqual(limit * 1_000);
    await monitored(targetApp('meanwhile', []), 1);
    figures[`leader ${how} to a TargetApp that was applied meanwhile being watched`] = secondsSince(started);
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

/** How often a change, a firing and a success have been told, by TargetApp. */
const told = async (): Promise<Record<string, number[]>> => {
  const byApp = Map.groupBy(await events(), ({ involvedObject }) => involvedObject.name);
  return Object.fromEntries(
    all.map((name) => {
      const its = byApp.get(name) ?? [];
      return [name, ['StateChanged', 'TriggerFired', 'ActionSucceeded'].map((reason) => times(its, reason))];
    }),
  );
};

const every = <T>(names: string[], value: T): Record<string, T> =>
  Object.fromEntries(names.map((name) => [name, value]));

/** What is told when the applications have fallen ill so often, and have recovered so often. Those that are restarted are healthy at once. */
const toldAfter = (ill: number, well: number): Record<string, number[]> => ({
  ...every(telling, [ill + well, ill, ill]),
  ...every(restarting, [ill, 2 * ill, 2 * ill]),
});

/** Those of whom something else is told than is wanted, and what. */
const differing = (found: Record<string, number[]>, wanted: Record<string, number[]>): string =>
  Object.entries(found)
    .filter(([name, counts]) => counts.join() !== wanted[name]?.join())
    .map(([name, counts]) => `${name}: ${counts.join()}`)
    .join('\n');

const untilTold = async (wanted: Record<string, number[]>): Promise<void> => {
  let rest = '';
  const isTold = async () => {
    rest = differing(await told(), wanted);
    return rest === '';
  };
  await until('everything to be told', isTold, {
    timeoutMs: tellingMs,
    everyMs: 1_000,
    seen: async () => `${rest}\n${await story(/^[\w-]+/.exec(rest)?.[0] ?? '')}`,
  });
};

/** Kills the leader of two replicas again and again. */
const startKilling = () => {
  let [going, kills, next] = [true, 0, Date.now() + killEveryMs];
  const killing = (async () => {
    while (going) {
      await until('the next kill', async () => !going || Date.now() >= next, { timeoutMs: 2 * killEveryMs });
      const victim = going && (await until('a leader of two', leaderOfTwo, { timeoutMs: 120_000 }));
      next = Date.now() + killEveryMs;
      if (victim && (await crash(victim))) kills += 1;
    }
  })();
  killing.catch(() => undefined); // whoever waits for a kill hears of it
  return {
    kills: () => kills,
    /** Waits until the next kill is so near. */
    untilNear: (ms: number) =>
      until('the next kill to be near', async () => Date.now() >= next - ms && Date.now() < next - ms / 2, {
        timeoutMs: 300_000,
      }),
    untilAfter: (before: number) =>
      Promise.race([killing, until('a kill', async () => kills > before, { timeoutMs: 300_000 })]),
    stop: async () => {
      going = false;
      await killing;
    },
  };
};

const podsOfRestarting = (): Promise<Pod[]> => settled(restarting.length, `app in (${restarting.join()})`);

const untilAllWatched = () =>
  until(
    'all to be watched',
    async () => {
      const shown = '-o=jsonpath={.items[*].status.pods.observed}';
      const watched = await kubectl('get', 'targetapps', '-n', shop, shown);
      return watched.split(' ').filter((observed) => observed === '1').length === all.length;
    },
    { timeoutMs: 300_000 },
  );

it(
  `reports every flip of ${all.length} TargetApps and acts on every episode as promised, while the leader of two replicas is killed every 30 s`,
  async () => {
    await apply(...restarting.map((name) => sampleApp(1, name)));
    await podsOfRestarting();
    await apply(...telling.map(teller), ...restarting.map(restarter));
    await untilAllWatched();
    const [shared] = await settled(1);
    const killing = startKilling();
    const uids = new Set<string>();
    const noteUids = (pods: Pod[]) => {
      for (const { metadata } of pods) uids.add(metadata.uid);
    };
    let [changes, longestMs] = [0, 0];
    /** Changes what applications say shortly before a kill, and waits for it and until all is told. */
    const change = async (make: () => Promise<unknown>, wanted: Record<string, number[]>) => {
      await killing.untilNear(leadsMs[changes++ % leadsMs.length] ?? 0);
      const before = killing.kills();
      await make();
      const since = Date.now();
      await untilTold(wanted);
      longestMs = Math.max(longestMs, Date.now() - since);
      await killing.untilAfter(before);
    };
    for (let flip = 1; flip <= flips; flip += 1) {
      const pods = await podsOfRestarting();
      noteUids(pods);
      const fallIll = () =>
        Promise.all([
          mutate(shared?.metadata.name ?? '', 'setStatus(status: "degraded")'),
          ...pods.map(({ metadata }) => mutate(metadata.name, 'setHealth(health: "unhealthy")')),
        ]);
      await change(fallIll, toldAfter(flip, flip - 1));
      const recover = () => mutate(shared?.metadata.name ?? '', 'setStatus(status: "running")');
      await change(recover, toldAfter(flip, flip));
    }
    await killing.stop();
    noteUids(await podsOfRestarting());

    const requests = await received('/ledger/');
    const ledger = Map.groupBy(requests, ({ path }) => path.slice('/ledger/'.length));
    const episodes = [...ledger].map(([app, those]) => [app, new Set(those.map(({ key }) => key)).size]);
    figures['kills and what came of them'] =
      `${killing.kills()} kills, ${flips} flips, ${all.length * flips} episodes, ${requests.length} webhooks, ${restarting.length * flips} restarts`;
    figures['a change to its last Event, the longest'] = `${(longestMs / 1000).toFixed(1)} s`;
    expect(killing.kills()).toBeGreaterThanOrEqual(2 * flips);
    expect(Object.fromEntries(episodes)).toEqual(every(all, flips));
    expect(await created()).toEqual(every(restarting, flips + 1));
    expect(uids.size).toBe(restarting.length * (flips + 1));
    expect(await told()).toEqual(toldAfter(flips, flips));

    const outcomes = (await list<{ status?: TargetAppStatus }>('targetapps', shop)).flatMap(
      ({ status }) => status?.rules?.map(({ lastOutcome }) => lastOutcome?.status) ?? [],
    );
    expect(outcomes).toEqual(Array(telling.length + 2 * restarting.length).fill('succeeded'));
  },
  2 * flips * (tellingMs + 2 * killEveryMs) + 300_000,
);
