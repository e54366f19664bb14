/**
 * `npm run demo`: KCO on real servers, with an application to break. `-- --script` plays the scenario once by itself and
 * exits 0, or 1 when something was not as it should be. Ctrl-C leaves nothing running.
 */
import { parseArgs } from 'node:util';
import { createShutdownStack, type ShutdownStack } from '../../src/lifecycle/shutdown-stack.ts';
import { awaitEnd, type End } from '../servers/end.ts';
import { ToolMissing } from '../servers/locate-tool.ts';
import { ServerFailed } from '../servers/server-process.ts';
import { NotSeen } from './event-log.ts';
import { createFaults } from './faults.ts';
import { kubectlLines, printInstructions } from './instructions.ts';
import { listenToKeys } from './keyboard.ts';
import { showLive } from './live-view.ts';
import { play } from './scenario.ts';
import { pollingInterval, type Setup, setUp } from './setup.ts';
import { createTerminal, secondsOf, type Terminal } from './terminal.ts';

const usage = 'Usage: npm run demo [-- --script]';

/** Rejects when the operator has ended by itself. */
function watchOperator({ operator }: Setup): { lost: Promise<never>; stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const looking = setInterval(() => {
    operator.assertRunning().catch(reject);
  }, 500);
  return { lost: promise, stop: () => clearInterval(looking) };
}

function keysOf(setup: Setup, terminal: Terminal, kubectl: string[], ask: End['ask']) {
  const faults = createFaults(setup);
  const quit = () => ask(0);
  const try_ = (act: () => string | undefined) => () => {
    if (act() === undefined) terminal.line('  no healthy pod is left: m mends them all');
  };
  return {
    b: try_(faults.breakPod),
    h: () => printInstructions(setup, terminal, kubectl),
    m: faults.mend,
    q: quit,
    s: try_(faults.changeStatus),
    u: try_(faults.cutOff),
    '\x03': quit,
    '\x04': quit,
  };
}

async function interact(setup: Setup, terminal: Terminal, stack: ShutdownStack, { code, ask }: End) {
  const kubectl = await kubectlLines(terminal, process.env['PATH']);
  printInstructions(setup, terminal, kubectl);
  if (terminal.isInteractive) await stack.push('keyboard', listenToKeys(keysOf(setup, terminal, kubectl, ask)));
  await stack.push('live view', showLive(setup, terminal, '   b m s u h q'));
  return code;
}

async function script(setup: Setup, terminal: Terminal, stack: ShutdownStack): Promise<number> {
  await stack.push('live view', showLive(setup, terminal, ''));
  return (await play(setup, terminal)) ? 0 : 1;
}

async function perform(terminal: Terminal, stack: ShutdownStack, end: End, isScript: boolean) {
  const setup = await setUp(terminal, stack);
  const watched = watchOperator(setup);
  await stack.push('watch of the operator', watched.stop);
  const performance = isScript ? script(setup, terminal, stack) : interact(setup, terminal, stack, end);
  return Promise.race([performance, watched.lost]);
}

/** What went wrong, for a person: a cause that is known is told without where in the code it was met. */
function explained(error: unknown): string {
  const known = [NotSeen, ServerFailed, ToolMissing];
  if (known.some((type) => error instanceof type)) return (error as Error).message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { script: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return console.log(usage);
  const started = Date.now();
  const terminal = createTerminal(process.env);
  const { line, paint } = terminal;
  const stack = createShutdownStack((name, error) => line(`  ${paint.red('✗')} ${name}: ${(error as Error).message}`));
  const end = awaitEnd();
  // Nobody reads any more: there is nobody to play to, and the supervisors clean up.
  process.stdout.on('error', () => process.exit(1));
  line(paint.bold(`  KCO demo: one application in three pods, polled every ${pollingInterval} s`));
  let code: number;
  try {
    code = await Promise.race([perform(terminal, stack, end, values.script), end.code]);
  } catch (error) {
    line(`\n  ${paint.red('✗')} ${explained(error)}`);
    code = 1;
  }
  terminal.status(paint.dim('  … stopping everything'));
  await stack.end();
  terminal.close();
  line(
    values.script
      ? `\n  ${code === 0 ? 'All as it should be' : 'NOT as it should be'}, after ${secondsOf(Date.now() - started)}.`
      : '  Nothing is left running.',
  );
  process.exit(code);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(usage);
  process.exit(2);
}
