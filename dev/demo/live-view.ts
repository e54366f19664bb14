import { nextPollAt } from '../../src/domain/schedule.ts';
import type { LogEntry } from './event-log.ts';
import { pollingInterval, type Setup } from './setup.ts';
import type { Paint, Terminal } from './terminal.ts';

type EventEntry = Extract<LogEntry, { kind: 'event' }>;

/** What an Event tells of: each step of observe, plan, act has its verb. */
const verbOf = ({ reason }: EventEntry): string => {
  if (reason.startsWith('Trigger')) return 'decides';
  return reason.startsWith('Action') ? 'did' : 'sees';
};

const clock = (at: number): string => new Date(at).toTimeString().slice(0, 8);

/** A log entry as one line; undefined for one that is not worth one. */
export function lineOf(entry: LogEntry, paint: Paint): string | undefined {
  const row = (who: string, what: string, text: string, colour: (text: string) => string) =>
    `  ${paint.dim(clock(entry.at))}  ${who.padEnd(11)} ${colour(what.padEnd(20))} ${text}`;
  switch (entry.kind) {
    case 'event': {
      const { type, reason, message, count, app } = entry;
      const colour = type === 'Warning' ? paint.yellow : reason.startsWith('Trigger') ? paint.magenta : paint.cyan;
      const repeated = count > 1 ? paint.dim(` (×${count})`) : '';
      return row(`KCO ${verbOf(entry)}`, reason, `${app === 'my-app' ? '' : `${app}: `}${message}${repeated}`, colour);
    }
    case 'pod':
      return row('cluster', `pod ${entry.change}`, entry.name, paint.dim);
    case 'webhook':
      return row('receiver', 'webhook', `Idempotency-Key ${entry.key}  ${entry.body}`, paint.blue);
    case 'you':
      return row('you', '', entry.text, paint.bold);
    default:
      return undefined;
  }
}

/** The line at the bottom: where the application stands now. */
function statusText({ cluster, app, silent }: Setup, paint: Paint): string {
  const target = cluster.app();
  if (target === undefined) return paint.dim('  my-app is not there');
  const pods = cluster.runningPods().map(({ ip, name }) => {
    const { health, status } = app.stateOf(ip);
    const trouble = silent.has(ip) ? 'silent' : health === 'healthy' ? undefined : health;
    return `${trouble === undefined ? paint.green('●') : paint.red('●')} ${name.slice(-5)} ${trouble ?? status}`;
  });
  const wait = Math.ceil((nextPollAt(target.metadata.uid, pollingInterval * 1000, Date.now()) - Date.now()) / 1000);
  return `  ${target.status?.phase ?? 'Pending'}  ${pods.join('  ')}  ${paint.dim(`poll in ${wait} s`)}`;
}

/** Prints what happens and keeps the last line up to date until the returned function is called. */
export function showLive(setup: Setup, terminal: Terminal, hint: string): () => void {
  const { paint } = terminal;
  setup.log.follow((entry) => {
    const line = lineOf(entry, paint);
    if (line !== undefined) terminal.line(line);
  });
  const tell = () => terminal.status(`${statusText(setup, paint)}${paint.dim(hint)}`);
  tell();
  const ticking = setInterval(tell, 250);
  return () => {
    clearInterval(ticking);
    terminal.close();
  };
}
