/**
 * `npm run soak -- [--minutes 60] [--apps 200] [--kill-every 150]`: days in an hour, see docs/operations.md. Prints a line a
 * minute and a table at the end; exits 1 when something was lost or doubled, or grew more than it may.
 */
import { parseArgs } from 'node:util';
import { promises } from './promises.ts';
import { broken, line, table } from './report.ts';
import { runSoak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    apps: { type: 'string', default: '200' },
    'kill-every': { type: 'string', default: '150' },
  },
});
const [minutes, apps, killEvery] = [values.minutes, values.apps, values['kill-every']].map(Number) as [
  number,
  number,
  number,
];
if (![minutes, apps, killEvery].every((each) => each > 0) || apps > 240)
  throw new TypeError('usage: npm run soak -- [--minutes 60] [--apps 200, at most 240] [--kill-every 150, in seconds]');

const say = (text: string) => console.error(`soak: ${text}`);
const found = await runSoak({
  apps,
  promises,
  durationMs: minutes * 60_000,
  flipEveryMs: 30_000,
  editEveryMs: 5_000,
  churnEveryMs: 15_000,
  killEveryMs: killEvery * 1_000,
  onMinute: (soFar) => say(line(soFar)),
  onProgress: say,
});
console.log(table(found));
for (const each of found.complaints.slice(0, 20)) console.log(`flip ${each}`);
const wrong = broken(found);
for (const each of wrong) console.log(`NOT as it should be: ${each}`);
process.exit(wrong.length === 0 ? 0 : 1);
