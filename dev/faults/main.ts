/**
 * `npm run faults -- [--apps 1000] [--interval 5] [--logs DIRECTORY] [SCENE…]`: what a fleet notices of replicas that die, leave or stand still, and of
 * applications and receivers that do not answer, see CONTRIBUTING.md. Prints a table of bars; exits 1 when one is missed.
 */
import { parseArgs } from 'node:util';
import { type Found, isMissed, tableOf } from './figures.ts';
import { scenes } from './scenes.ts';
import { onStage } from './stage.ts';

const { values, positionals } = parseArgs({
  options: {
    apps: { type: 'string', default: '1000' },
    interval: { type: 'string', default: '5' },
    logs: { type: 'string' },
  },
  allowPositionals: true,
});
const [apps, interval] = [Number(values.apps), Number(values.interval)];
const names = positionals.length === 0 ? Object.keys(scenes) : positionals;
if (!(apps >= 2 && interval >= 1) || names.some((name) => !(name in scenes)))
  throw new TypeError(`usage: npm run faults -- [--apps 1000] [--interval 5] [${Object.keys(scenes).join('|')}]…`);

const started = performance.now();
const say = (text: string) => console.error(`faults: ${Math.round((performance.now() - started) / 1_000)} s: ${text}`);
const found = await onStage({ apps, interval, logs: values.logs }, async (stage) => {
  say(`${apps} TargetApps are polled every ${interval} s`);
  const all: Found[] = [];
  for (const name of names) {
    await stage.shared(stage.replica);
    const figures = (await scenes[name]?.(stage)) ?? [];
    all.push({ scene: name, figures });
    say(`\n${tableOf(all.slice(-1))}`);
  }
  return all;
});
console.log(tableOf(found));
process.exit(found.some(({ figures }) => figures.some(isMissed)) ? 1 : 0);
