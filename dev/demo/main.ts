/**
 * `npm run demo`: KCO on real servers, with an application to break. `-- --script` plays the story once by itself and
 * exits 0, or 1 when something was not as it should be. Ctrl-C leaves nothing running.
 */
import { parseArgs } from 'node:util';
import { ToolMissing } from '../servers/locate-tool.ts';
import { ServerFailed } from '../servers/server-process.ts';
import { kubectlLines, printDirections } from './directions.ts';
import { createHands } from './hands.ts';
import { NotSeen } from './happenings.ts';
import { listenToKeys } from './keyboard.ts';
import { showLive } from './live-view.ts';
import { OperatorFailed } from './operator-process.ts';
import { type Curtain, createCurtain, pollingInterval, type Stage, setStage } from './stage.ts';
import { play } from './story.ts';
import { createTerminal, secondsOf, type Terminal } from './terminal.ts';

const usage = 'Usage: npm run demo [-- --script]';

/** Resolves with an exit code when a signal asks to end; the second one ends at once (the keepers still clean up). */
function asked(): { code: Promise<number>; ask: (code: number) => void } {
  const { promise, resolve } = Promise.withResolvers<number>();
  let told = false;
  const ask = (code: number): void => {
    if (told) process.exit(code);
    told = true;
    resolve(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(130));
  return { code: promise, ask };
}

/** Rejects when the operator has ended by itself. */
function watchOperator({ operator }: Stage): { lost: Promise<never>; stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  const looking = setInterval(() => {
    operator.ended().then((how) => how !== undefined && reject(new OperatorFailed(how)));
  }, 500);
  return { lost: promise, stop: () => clearInterval(looking) };
}

function keysOf(stage: Stage, terminal: Terminal, kubectl: string[], ask: (code: number) => void) {
  const hands = createHands(stage);
  const quit = () => ask(0);
  const try_ = (act: () => string | undefined) => () => {
    if (act() === undefined) terminal.line('  no healthy pod is left: m mends them all');
  };
  return {
    b: try_(hands.breakPod),
    h: () => printDirections(stage, terminal, kubectl),
    m: hands.mend,
    q: quit,
    s: try_(hands.changeStatus),
    u: try_(hands.cutOff),
    '\x03': quit,
    '\x04': quit,
  };
}

async function interact(stage: Stage, terminal: Terminal, curtain: Curtain, { code, ask }: ReturnType<typeof asked>) {
  const kubectl = await kubectlLines(terminal, process.env['PATH']);
  printDirections(stage, terminal, kubectl);
  if (terminal.isInteractive) await curtain.onEnd(listenToKeys(keysOf(stage, terminal, kubectl, ask)));
  await curtain.onEnd(showLive(stage, terminal, '   b m s u h q'));
  return code;
}

async function script(stage: Stage, terminal: Terminal, curtain: Curtain): Promise<number> {
  await curtain.onEnd(showLive(stage, terminal, ''));
  return (await play(stage, terminal)) ? 0 : 1;
}

async function perform(terminal: Terminal, curtain: Curtain, end: ReturnType<typeof asked>, isScript: boolean) {
  const stage = await setStage(terminal, curtain);
  const watched = watchOperator(stage);
  await curtain.onEnd(watched.stop);
  const performance = isScript ? script(stage, terminal, curtain) : interact(stage, terminal, curtain, end);
  return Promise.race([performance, watched.lost]);
}

/** What went wrong, for a person: a cause that is known is told without where in the code it was met. */
function explained(error: unknown): string {
  const known = [NotSeen, OperatorFailed, ServerFailed, ToolMissing];
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
  const curtain = createCurtain();
  const end = asked();
  // Nobody reads any more: there is nobody to play to, and the keepers clean up.
  process.stdout.on('error', () => process.exit(1));
  line(paint.bold(`  KCO demo: one application in three pods, polled every ${pollingInterval} s`));
  let code: number;
  try {
    code = await Promise.race([perform(terminal, curtain, end, values.script), end.code]);
  } catch (error) {
    line(`\n  ${paint.red('✗')} ${explained(error)}`);
    code = 1;
  }
  terminal.status(paint.dim('  … stopping everything'));
  await curtain.fall();
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
