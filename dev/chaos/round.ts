import type { ResourceRef } from '../../src/clients/kubernetes/client.ts';
import type { OperatorProcess } from '../../test/support/operator-under-test.ts';
import type { RealWorld } from '../../test/support/real-world.ts';
import type { RecordedEvent, RecordedPod } from '../../test/support/recorder.ts';
import { until } from '../../test/support/until.ts';
import { type Candidate, type Cell, candidateOf, type Point, ruleOf } from './cells.ts';
import { Holds } from './holds.ts';
import type { Rig } from './rig.ts';
import type { Result } from './tally.ts';
import { type ToldOf, verdictOf } from './verdict.ts';

type App = Candidate & { pod: RecordedPod | undefined };

const configMaps: ResourceRef = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const deployments: ResourceRef = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true };

/** An app that is polled, and its TargetApp, whose rule does the action when it is unhealthy. */
async function prepare({ world }: Rig, candidate: Candidate, holds: Holds): Promise<App> {
  const { name, action } = candidate;
  if (action === 'patch_resource')
    await world.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'default', name }, data: {} });
  const [pod] = await world.runApp(name);
  const { metadata } = await world.monitor(name, { actions: [ruleOf(candidate, world.receiver.url)] });
  holds.add(candidate, metadata.uid);
  return { ...candidate, pod };
}

/** Those that can be held for as long as one likes come first; those that time moves on come last. */
const waves: Point[][] = [['sent', 'reported'], ['before the call', 'answered'], ['decided']];
/** With one of the last two waves, at a time of its own within so many milliseconds, comes each that is killed wherever it is. */
const withinMs = 1_500;
/** Time moves on what has not come to its point by then. */
const waveMs = 15_000;

/** Brings each action to its point, as far as it comes there. */
async function bringThere({ world }: Rig, apps: App[], holds: Holds): Promise<void> {
  const fall = ({ pod }: App): void => void world.says(pod, { health: 'unhealthy' });
  const others = new Map(
    apps.filter(({ point }) => point === 'between').map((app) => [app, Math.random() < 0.5 ? waves[1] : waves[2]]),
  );
  for (const points of waves) {
    const wave = apps.filter(({ point }) => points.includes(point));
    wave.forEach(fall);
    for (const [app, itsWave] of others) if (itsWave === points) setTimeout(() => fall(app), Math.random() * withinMs);
    const areThere = () => wave.every(holds.isThere);
    await until('each is at its point', areThere, { timeoutMs: waveMs }).catch(() => undefined);
  }
}

/** Lets a webhook hang that is to be sent and not answered; returns the end of that. */
function holdWebhooks({ receiver }: RealWorld, apps: App[], holds: Holds): () => void {
  const sent = apps.filter(({ action, point }) => action === 'webhook' && point === 'sent');
  const releases = sent.map((app) => receiver.hold(`/${app.name}`, () => holds.noteSent(app)));
  return () => {
    for (const release of releases) release();
  };
}

const isOutcome = ({ reason }: RecordedEvent): boolean => /^Action(?!Waiting)/.test(reason);

function toldOf(world: RealWorld, name: string): ToldOf {
  const events = world.events(name);
  const [rule] = world.targetApp(name)?.status?.rules ?? [];
  return {
    fired: events.filter(({ reason }) => reason === 'TriggerFired').reduce((sum, { count }) => sum + count, 0),
    outcomes: events.filter(isOutcome).flatMap(({ reason, count }) => Array<string>(count).fill(reason)),
    status: rule?.lastOutcome?.status,
  };
}

/** Waits until all is told of an action, or can be taken for lost; and then for some more polls, which might do it again. */
async function settle({ world }: Rig, { name }: App): Promise<void> {
  const isTold = (): boolean => {
    const { fired, outcomes, status } = toldOf(world, name);
    return fired > 0 && outcomes.length > 0 && status !== undefined;
  };
  await until(`all is told of ${name}`, isTold).catch(() => undefined);
  const runs = ({ metadata, status }: RecordedPod) =>
    metadata.labels?.['app'] === name && status?.phase === 'Running' && status.podIP !== undefined;
  const pod = await until(`a pod of ${name} runs`, () => world.recorder.present.pods().find(runs), {
    timeoutMs: 120_000,
  });
  const polls = (): number => world.app.requests(pod.status?.podIP);
  const before = polls();
  await until(`${name} is polled on`, () => polls() >= before + 3, { timeoutMs: 120_000 });
}

function resultOf({ world, ledger }: Rig, app: App, killedAt: number, isMissed: boolean): Result {
  const { action, point, name } = app;
  const effects = ledger.effects(app);
  const told = world.recorder.events.find(({ object }) => object.involvedObject.name === name && isOutcome(object));
  const since = (at = 0) => (at > killedAt ? at - killedAt : undefined);
  const [doneMs, toldMs] = [since(effects[0]?.at), since(told?.at)];
  return {
    action,
    point,
    name,
    isMissed,
    ...verdictOf({ action, point: isMissed ? 'between' : point }, effects, toldOf(world, name)),
    ...(doneMs !== undefined && { doneMs }),
    ...(toldMs !== undefined && { toldMs }),
  };
}

async function remove({ world }: Rig, { name, action }: App): Promise<void> {
  await world.deleteApp(name);
  await world.kube.delete(deployments, { namespace: 'default', name });
  if (action === 'patch_resource') await world.kube.delete(configMaps, { namespace: 'default', name });
}

/** What a round leaves: what became of each action, and the operator that runs now. */
export interface Round {
  results: Result[];
  operator: OperatorProcess;
}

/** Kills an operator once, when one action of each cell is at its point, and sees what the next operator makes of them. */
export async function playRound(rig: Rig, operator: OperatorProcess, cells: Cell[], suffix: string): Promise<Round> {
  const holds = new Holds();
  const candidates = cells.map((cell, at) => candidateOf(cell, `${suffix}-${at}`));
  const apps = await Promise.all(candidates.map((candidate) => prepare(rig, candidate, holds)));
  rig.hold(holds);
  const releaseWebhooks = holdWebhooks(rig.world, apps, holds);
  await bringThere(rig, apps, holds);
  await operator.end('SIGKILL');
  const killedAt = Date.now();
  const missed = new Set(apps.filter((app) => app.point !== 'between' && !holds.isStillThere(app)));
  rig.hold(new Holds());
  holds.release();
  releaseWebhooks();
  const next = await rig.startOperator();
  await Promise.all(apps.map((app) => settle(rig, app)));
  const results = apps.map((app) => resultOf(rig, app, killedAt, missed.has(app)));
  await Promise.all(apps.map((app) => remove(rig, app)));
  return { results, operator: next };
}
