import { expect, it } from '@jest/globals';
import { promises } from '../../dev/soak/promises.ts';
import { broken } from '../../dev/soak/report.ts';
import { runSoak } from '../../dev/soak/soak.ts';

/** Fewer than `npm run soak` has: two other test files share the machine. */
const apps = 60;
const durationMs = 180_000;

it('three minutes of changes, edits, deletions and kills: nothing is lost, and nothing done twice', async () => {
  const found = await runSoak({
    apps,
    // Temporal, too, has the machine to share.
    promises: { ...promises, handOverMs: promises.recoveryMs },
    durationMs,
    flipEveryMs: 20_000,
    editEveryMs: 4_000,
    churnEveryMs: 10_000,
    killEveryMs: 25_000,
    onMinute: () => undefined,
    onProgress: () => undefined,
  });
  expect(broken(found)).toEqual([]);
  expect(found.flips.told).toBeGreaterThan(apps);
  expect(found.flips.calls.made).toBeGreaterThan(0);
  expect(found.edits.taken).toBeGreaterThan(0);
  expect(found.deleted).toBeGreaterThan(0);
  expect(found.kills.size).toBeGreaterThan(1);
}, 900_000);
