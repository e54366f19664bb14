import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { apply, get, isReady, kubectl, restrictedNamespace, tryKubectl } from './cluster.ts';
import { until } from './command.ts';
import { install, operator, operatorPods, removeAll, system } from './release.ts';
import { freshShop, mutate, received, receiver, settled, shop } from './shop.ts';
import { eventsOf, statusOf, targetApp } from './target-app.ts';

// Two replicas, the leading one of which is killed every 30 seconds, while all TargetApps see health come and go. The receiver of the
// webhooks is the ledger of what was really done.

const apps = 50;
const killEveryMs = 30_000;
const phaseMs = 40_000;
/** How long it goes on; at least two flips. */
const seconds = Math.max(160, Number(process.env['KCO_E2E_REPLICAS_SECONDS'] ?? 300));
const flips = Math.floor((seconds * 1000) / (2 * phaseMs));

const nameOf = (index: number): string => `app-${index}`;
const watched = (index: number): object =>
  targetApp(
    nameOf(index),
    [
      {
        name: 'tell',
        trigger: { field: 'application.status', condition: 'equals', value: 'degraded' },
        action: 'webhook',
        parameters: { url: `http://receiver.${shop}.svc/ledger/${nameOf(index)}` },
      },
    ],
    { pollingInterval: 5 },
  );

/** SIGKILL, with no time to say goodbye. Within a pod's own process namespace nothing can kill process 1, hence the shared one. */
const killScript = `
const { readdirSync, readFileSync } = require('node:fs');
for (const pid of readdirSync('/proc').filter((name) => /^\\d+$/.test(name))) {
  if (Number(pid) === process.pid) continue;
  try {
    if (readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('src/main.ts')) process.kill(Number(pid), 'SIGKILL');
  } catch {}
}`;

let kills = 0;
const killOne = async (): Promise<void> => {
  const ready = (await operatorPods()).filter(isReady).map(({ metadata }) => metadata.name);
  const lease = await get<{ spec?: { holderIdentity?: string } }>('lease', 'kco-operator', system);
  const victim = lease?.spec?.holderIdentity ?? '';
  // Never the only one: what two replicas promise is that one may go.
  if (ready.length < 2 || !ready.includes(victim)) return;
  const { code } = await tryKubectl('exec', victim, '-n', system, '--', 'node', '-e', killScript);
  if (code === 0) kills += 1;
  // A new pod starts at once; a container that is killed again and again would be made to wait.
  await kubectl('delete', 'pod', victim, '-n', system, '--grace-period=0', '--force', '--wait=false');
};

beforeAll(async () => {
  // What a run that was broken off has left.
  await removeAll(shop);
  await apply(restrictedNamespace(system), restrictedNamespace(shop));
  await apply(...receiver());
  await install('--set=replicaCount=2');
  await kubectl(
    'patch',
    'deployment',
    operator,
    '-n',
    system,
    '--type=merge',
    '-p',
    '{"spec":{"template":{"spec":{"shareProcessNamespace":true}}}}',
  );
  await kubectl('rollout', 'status', `deployment/${operator}`, '-n', system, '--timeout=120s');
  await freshShop(1);
  await apply(...Array.from({ length: apps }, (_, index) => watched(index)));
  await until(
    'all to be watched',
    async () => {
      const all = await kubectl('get', 'targetapps', '-n', shop, '-o', 'jsonpath={.items[*].status.pods.observed}');
      return all.split(' ').filter((observed) => observed === '1').length === apps;
    },
    { timeoutMs: 120_000 },
  );
}, 900_000);

afterAll(() => removeAll(shop), 180_000);

it(
  'tells every flip of every TargetApp exactly once as an episode, while the leader of two replicas is killed every 30 s',
  async () => {
    const [pod] = await settled(1);
    const name = pod?.metadata.name ?? '';
    let going = true;
    const killing = (async () => {
      for (let next = Date.now() + killEveryMs; going; next += killEveryMs) {
        await until('the next kill', async () => !going || Date.now() >= next, { timeoutMs: killEveryMs * 2 });
        if (going) await killOne();
      }
    })();
    for (let flip = 0; flip < flips; flip++)
      for (const status of ['degraded', 'running']) {
        await mutate(name, `setStatus(status: "${status}")`);
        await new Promise((next) => setTimeout(next, phaseMs));
      }
    going = false;
    await killing;

    expect(kills).toBeGreaterThanOrEqual(Math.floor((2 * flips * phaseMs) / killEveryMs / 2));
    const ledger = Map.groupBy(await received('/ledger/'), ({ path }) => path.slice('/ledger/'.length));
    const episodes = [...ledger].map(([app, requests]) => [app, new Set(requests.map(({ key }) => key)).size]);
    const promised = Array.from({ length: apps }, (_, index) => [nameOf(index), flips]);
    expect(Object.fromEntries(episodes)).toEqual(Object.fromEntries(promised));
    const requests = [...ledger.values()].flat().length;
    console.log(
      `${kills} kills, ${flips} flips, ${apps * flips} episodes, ${requests} requests (repeats carry the same key)`,
    );

    const sample = await eventsOf(nameOf(0));
    const changes = sample.filter(({ reason }) => reason === 'StateChanged');
    expect(changes.reduce((sum, { count = 1 }) => sum + count, 0)).toBe(2 * flips);
    expect((await statusOf(nameOf(0)))?.rules?.[0]?.lastOutcome).toMatchObject({ status: 'succeeded' });
  },
  (seconds + 120) * 1000,
);
