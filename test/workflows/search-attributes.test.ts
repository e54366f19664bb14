import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createWorkflowStarter, type ResourceWorkflow } from '../../src/clients/temporal/workflow-starter.ts';
import { createAttributeUse } from '../../src/controller/attribute-use.ts';
import { attributesOf, standingOf } from '../../src/workflows/search-attributes.ts';
import { createFakeActivities, planWith } from '../support/fake-activities.ts';
import { until } from '../support/until.ts';
import { startWorkflowEnv, type WorkflowEnv } from '../support/workflow-env.ts';

const lines: string[] = [];
const note = (message: string) => void lines.push(message);
const log = { debug: note, info: note, warning: note, error: note, with: () => log };

const app = { namespace: 'shop', name: 'orders', uid: 'u-1' };
const conversation = (workflowId: string): ResourceWorkflow => ({
  type: 'targetApp',
  workflowId,
  input: { app },
  summary: 'orders',
  attributes: [...standingOf('Initializing', false), ...attributesOf('TargetApp', app)],
});

describe('a namespace with eight of its ten Keyword attributes taken', () => {
  let env: WorkflowEnv;
  const taken = Array.from({ length: 8 }, (_, n) => `Taken${n}`);
  beforeAll(async () => {
    env = await startWorkflowEnv({}, Object.fromEntries(taken.map((name) => [name, 'Keyword'])));
  }, 600_000);
  afterAll(() => env.stop(), 60_000);

  it('is used with those that there is room for, and the rest is asked for in words', async () => {
    const use = createAttributeUse(env.client, 'default', log);
    expect(use.usable()).toBeUndefined();
    expect(await use.look(true)).toEqual(['KcoPhase', 'KcoReady', 'KcoNamespace']);
    expect(use.usable()).toEqual(['KcoPhase', 'KcoReady', 'KcoNamespace']);
    expect(use.check()).toEqual({
      ok: true,
      degraded: true,
      message: expect.stringMatching(/no room .* for the search attributes KcoName, KcoKind: remove .*all else works$/),
    });
    expect(lines).toEqual(['search attributes missing']);

    await createWorkflowStarter(env.client, 'nobody', use).start(conversation('with-three'));
    const { typedSearchAttributes } = await env.client.workflow.getHandle('with-three').describe();
    expect(typedSearchAttributes.getAll().map(({ key }) => key.name)).toEqual(
      expect.arrayContaining(['KcoPhase', 'KcoReady', 'KcoNamespace']),
    );
    await env.client.workflow.getHandle('with-three').terminate();
  });

  it('holds workflows that say what can be said, and the rest as soon as there is room', async () => {
    const known = ['KcoPhase', 'KcoReady', 'KcoNamespace'];
    const fakes = createFakeActivities(planWith());
    fakes.attributes = known;
    const execution = await env.start(fakes, {}, { attributes: known });
    const said = async () => {
      const { typedSearchAttributes } = await execution.handle.describe();
      return Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
    };
    await until('it says its phase', async () => (await said())['KcoPhase'] === 'Monitoring');
    expect(await said()).not.toHaveProperty('KcoName');
    const { operatorService } = env.client.connection as unknown as {
      operatorService: { removeSearchAttributes(request: object): Promise<unknown> };
    };
    await operatorService.removeSearchAttributes({ namespace: 'default', searchAttributes: taken.slice(0, 2) });
    const use = createAttributeUse(env.client, 'default', log);
    await until('there is room', async () => (await use.look(true)).length === 2 || use.usable() === null);
    expect(use.check()).toEqual({ ok: true });
    fakes.attributes = null;
    await until('it says the rest', async () => (await said())['KcoKind'] === 'TargetApp');
    expect(await said()).toMatchObject({ KcoName: 'my-app', KcoReady: true });
    await execution.end();
  });
});
