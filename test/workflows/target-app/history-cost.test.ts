import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createFakeActivities, health, planWith, restartRule } from '../../support/fake-activities.ts';
import { bytesOf, median, pollsIn } from '../../support/polls-in-history.ts';
import { until } from '../../support/until.ts';
import { HistoryEvent, type RunEvent, startWorkflowEnv, type WorkflowEnv } from '../../support/workflow-env.ts';

let env: WorkflowEnv;
beforeAll(async () => {
  env = await startWorkflowEnv();
}, 600_000);
afterAll(() => env.stop());

const marker = 'a-value-of-the-state';

/** The events of unchanged polls of an app with so many pods, at a usual interval's cost. */
async function unchangedPolls(pods: number): Promise<RunEvent[][]> {
  const fakes = createFakeActivities(planWith({ intervalMs: 100, rules: [restartRule()] }), pods);
  for (const uid of fakes.pods.keys()) fakes.says(health(marker), uid);
  const execution = await env.start(fakes, { namespace: 'production', name: 'storefront-checkout' });
  await until('12 polls are done', () => fakes.all('look').length >= 12);
  const { events } = await execution.history();
  await execution.end();
  // The first ones carry the plan, the states and the first report.
  return pollsIn(events ?? []).slice(4);
}

describe('an unchanged poll', () => {
  it('costs the history at most 11 events and 1.5 KB for three pods, and 100 bytes for each further one', async () => {
    const [few, many] = [await unchangedPolls(3), await unchangedPolls(23)];
    const [costOfFew, costOfMany] = [median(few.map(bytesOf)), median(many.map(bytesOf))];
    const perPod = (costOfMany - costOfFew) / 20;
    console.log(`an unchanged poll: ${costOfFew} bytes for 3 pods, ${perPod.toFixed(1)} per further pod`);
    expect(few.length).toBeGreaterThan(3);
    expect(median(few.map((events) => events.length))).toBeLessThanOrEqual(11);
    expect(costOfFew).toBeLessThanOrEqual(1_536);
    expect(costOfFew).toBeGreaterThan(500);
    expect(perPod).toBeLessThanOrEqual(100);
  });

  it('carries no state', async () => {
    const polls = await unchangedPolls(2);
    const encoded = polls.flat().map((event) => Buffer.from(HistoryEvent.encode(event).finish()).toString('latin1'));
    expect(encoded.length).toBeGreaterThan(10);
    expect(encoded.filter((text) => text.includes(marker))).toEqual([]);
  });
});
