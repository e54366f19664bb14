import type { LogEntry } from './event-log.ts';
import { createFaults } from './faults.ts';
import { type WorkflowPage, workflowPage } from './history.ts';
import { pollingInterval, type Setup } from './setup.ts';
import { secondsOf, type Terminal } from './terminal.ts';

/** Something that was measured or looked at, and whether it is as it should be. */
export interface Finding {
  what: string;
  found: string;
  bar: string;
  ok: boolean;
}

const intervalMs = pollingInterval * 1000;
/** From a change to its Event, and from the Event to the deletion of the pod. */
const bars = { toEvent: intervalMs + 1_000, toDeletion: 1_000 };
/** Longer than the bars, so that what is late is measured and not only missed. */
const patienceMs = 3 * intervalMs;

type EventEntry = Extract<LogEntry, { kind: 'event' }>;

function eventOf(setup: Setup, since: number, reason: string, mentions: string): Promise<EventEntry> {
  return setup.log.seen({
    what: `Event ${reason} that mentions "${mentions}"`,
    kind: 'event',
    since,
    withinMs: patienceMs,
    where: (event) => event.reason === reason && event.message.includes(mentions),
  });
}

const measured = (what: string, ms: number, barMs: number): Finding => ({
  what,
  found: `${(ms / 1000).toFixed(2)} s`,
  bar: `≤ ${secondsOf(barMs)}`,
  ok: ms <= barMs,
});

const seenTo = (what: string, found: string): Finding => ({ what, found, bar: 'seen', ok: true });

const broken = (pod: string | undefined): string => {
  if (pod === undefined) throw new Error('no healthy pod is left to play with');
  return pod;
};

/** A pod turns unhealthy, and KCO restarts it and tells a webhook. */
async function restart(setup: Setup): Promise<Finding[]> {
  const { log, cluster } = setup;
  const since = Date.now();
  const pod = broken(createFaults(setup).breakPod());
  const uid = cluster.pods.get('default', pod)?.uid;
  const changed = await eventOf(setup, since, 'StateChanged', pod);
  const podThat = (change: 'runs' | 'stops' | 'gone', where: (candidate: string) => boolean) =>
    log.seen({
      what: `a pod ${change}`,
      kind: 'pod',
      since,
      withinMs: patienceMs,
      where: (seen) => seen.change === change && where(seen.uid),
    });
  const stopped = await podThat('stops', (candidate) => candidate === uid);
  const { at: goneAt } = await podThat('gone', (candidate) => candidate === uid);
  await eventOf(setup, since, 'ActionSucceeded', `restarted: ${pod}`);
  const webhook = await log.seen({
    what: 'the webhook',
    kind: 'webhook',
    since,
    withinMs: patienceMs,
    where: ({ key }) => key.includes(uid ?? 'no pod'),
  });
  await podThat('runs', (candidate) => candidate !== uid);
  return [
    measured('from the change to its Event', changed.at - since, bars.toEvent),
    measured('from the Event to the deletion of the pod', Math.max(0, stopped.at - changed.at), bars.toDeletion),
    seenTo('the unhealthy pod is gone', `${secondsOf(goneAt - since)} after the change`),
    seenTo('a webhook with its Idempotency-Key', webhook.key),
  ];
}

/** What came up in the pod's place is healthy, as the TargetApp's own state says. */
async function recovery({ log, cluster }: Setup, since: number): Promise<Finding[]> {
  const { at } = await log.seen({
    what: 'three healthy pods in status.state',
    kind: 'status',
    since,
    withinMs: patienceMs,
    where: ({ state }) => {
      const healths = cluster.runningPods().map(({ name }) => state[name]?.['application.health']);
      return healths.length === 3 && healths.every((health) => health === 'healthy');
    },
  });
  return [seenTo('all three pods are healthy again (status.state)', `${secondsOf(at - since)} after the change`)];
}

/** A pod's status changes, and KCO runs a command in it. */
async function command(setup: Setup): Promise<Finding[]> {
  const since = Date.now();
  const pod = broken(createFaults(setup).changeStatus());
  await eventOf(setup, since, 'StateChanged', pod);
  const { message } = await eventOf(setup, since, 'ActionSucceeded', 'exec_command');
  return [seenTo('a command was executed in a pod', message)];
}

/** A pod does not answer: that is not a change and fires nothing; that it answers again is told. */
async function silence(setup: Setup): Promise<Finding[]> {
  const faults = createFaults(setup);
  const since = Date.now();
  const pod = broken(faults.cutOff());
  await eventOf(setup, since, 'ConnectFailed', pod);
  const mended = Date.now();
  faults.mend();
  const { at, message } = await eventOf(setup, mended, 'Recovered', pod);
  // Its status changed as well, so the command runs once more; the scenario ends when that has ended.
  await eventOf(setup, mended, 'ActionSucceeded', 'exec_command');
  return [
    {
      ...measured('from the recovery to its Event', at - mended, bars.toEvent),
      found: `${secondsOf(at - mended)}: ${message}`,
    },
  ];
}

const wanted = ['observe', 'restart_pod', 'webhook', 'exec_command'];

function printPage(page: WorkflowPage, { line, paint }: Terminal): void {
  const entry = (name: string, texts: string[]): void => {
    for (const [index, text] of texts.entries()) line(`    ${(index === 0 ? name : '').padEnd(14)}${text}`);
  };
  line(paint.bold('  The workflow, as the Web UI shows it'));
  entry('summary', [page.summary]);
  for (const [name, value] of Object.entries(page.searchAttributes)) entry(name, [value]);
  entry('details', page.details.split('\n'));
  const actions = page.activities.filter((text) => !/^(observe|recordEvents|reportStatus)/.test(text));
  entry('actions', actions);
}

/** The history of the workflow names all that was done. */
async function historyOf(setup: Setup, terminal: Terminal): Promise<Finding[]> {
  const app = setup.cluster.app();
  if (app === undefined) throw new Error('the TargetApp is gone');
  const page = await workflowPage(setup.servers.temporal.address, app);
  terminal.line();
  printPage(page, terminal);
  const names = new Set(page.activities.map((text) => text.split(':')[0] ?? ''));
  const missing = wanted.filter((name) => !names.has(name));
  return [
    {
      what: 'the history of the workflow names what was done',
      found: missing.length === 0 ? `${page.events} events` : `${missing.join(', ')} missing`,
      bar: 'all there',
      ok: missing.length === 0 && page.summary !== '' && page.details !== '' && 'KcoPhase' in page.searchAttributes,
    },
  ];
}

function printFindings(findings: Finding[], { line, paint }: Terminal): void {
  line();
  line(paint.bold('  Found'));
  for (const { what, found, bar, ok } of findings)
    line(`    ${ok ? paint.green('✓') : paint.red('✗')} ${what.padEnd(48)} ${found} ${paint.dim(`(${bar})`)}`);
}

/** Plays the scenario once. Resolves to whether everything was as it should be; throws when something did not happen. */
export async function play(setup: Setup, terminal: Terminal): Promise<boolean> {
  const chapter = (title: string) => {
    terminal.line();
    terminal.line(terminal.paint.bold(`  ${title}`));
  };
  const since = Date.now();
  chapter('A pod turns unhealthy');
  const findings = [...(await restart(setup)), ...(await recovery(setup, since))];
  chapter('A pod changes its status');
  findings.push(...(await command(setup)));
  chapter('A pod cannot be asked for a while');
  findings.push(...(await silence(setup)));
  findings.push(...(await historyOf(setup, terminal)));
  printFindings(findings, terminal);
  return findings.every(({ ok }) => ok);
}
