import { beforeEach, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { type Action, Retry, Wait } from '../../src/activities/actions/action.ts';
import type { SpecInForce } from '../../src/activities/apps.ts';
import { createPerform } from '../../src/activities/perform.ts';
import { planOf } from '../../src/api/plan-of.ts';
import { TargetAppSpec } from '../../src/api/target-app.ts';
import { KubeError } from '../../src/clients/kube.ts';
import type { Log } from '../../src/clients/log.ts';
import type { ActionOutcome, ActionRequest, ActionResult } from '../../src/domain/action.ts';
import { defaults } from '../support/target-app-manifest.ts';

const silent: Log = { debug() {}, info() {}, warning() {}, error() {}, with: () => silent };

const spec = {
  selector: { matchLabels: { app: 'cart' } },
  stateQuery: '{ application { health height } }',
  actions: [
    {
      name: 'tell',
      trigger: { field: 'application.health', condition: 'equals', value: 'unhealthy' },
      action: 'webhook',
      parameters: {
        url: 'http://127.0.0.1:9/hook',
        headers: { 'X-Height': '{{state.application.height}}' },
        payload: {
          text: '{{tapp_name}} in {{namespace}}: {{field}} {{old_value}} > {{new_value}}',
          height: '{{state.application.height}}',
          id: '{{action_id}}',
          url: '{{workflow_url}}',
        },
      },
    },
  ],
};

const inForce = (generation: number): SpecInForce => ({
  generation,
  plan: planOf({ metadata: { name: 'cart', namespace: 'shop', uid: 'u', generation }, spec }, defaults),
  spec: TargetAppSpec.parse(spec),
});

const request = (fields: Partial<ActionRequest> = {}): ActionRequest => ({
  id: 'u:1:tell:p:x:0',
  namespace: 'shop',
  name: 'cart',
  uid: 'u',
  generation: 1,
  rule: 'tell',
  action: 'webhook',
  pods: [{ uid: 'p', name: 'cart-1' }],
  field: 'application.health',
  oldValue: 'healthy',
  newValue: 'unhealthy',
  values: { 'application.height': 42 },
  at: 0,
  dryRun: false,
  ...fields,
});

const done: ActionOutcome = { status: 'succeeded', reason: 'Delivered', message: 'done' };
/** What the action was called with, and what it does. */
const seen = { parameters: [] as unknown[], mayBeDone: [] as boolean[] };
let behave: () => ActionOutcome = () => done;

const action: Action<unknown> = {
  name: 'webhook',
  run: async ({ mayBeDone }, parameters) => {
    seen.parameters.push(parameters);
    seen.mayBeDone.push(mayBeDone);
    return behave();
  },
};

beforeEach(() => {
  Object.assign(seen, { parameters: [], mayBeDone: [] });
  behave = () => done;
});

const perform = (
  asked: ActionRequest,
  options: {
    enabled?: string[];
    generations?: number[];
    unasked?: KubeError;
    log?: Log;
    info?: ConstructorParameters<typeof MockActivityEnvironment>[0];
  } = {},
) => {
  const { enabled = ['webhook'], generations = [1], unasked, log = silent, info } = options;
  const performing = createPerform({
    apps: {
      ofGeneration: async (_, generation) => {
        if (unasked) throw unasked;
        return generations.includes(generation) ? inForce(generation) : undefined;
      },
    },
    pods: { list: () => [] },
    enabled: new Set(enabled),
    workflowUrl: ({ id }) => `http://ui/${id}`,
    log,
  });
  const environment = new MockActivityEnvironment(info);
  return environment.run(() => performing(action, asked, new AbortController().signal)) as Promise<ActionResult>;
};

describe('an action activity', () => {
  it('takes its parameters from the TargetApp, with the templates filled in and their types kept', async () => {
    expect(await perform(request())).toEqual(done);
    expect(seen.parameters).toMatchObject([
      {
        method: 'POST',
        headers: { 'X-Height': '42' },
        payload: {
          text: 'cart in shop: application.health healthy > unhealthy',
          height: 42,
          id: 'u:1:tell:p:x:0',
          url: 'http://ui/test',
        },
      },
    ]);
  });

  it('refuses what is switched off, and names the Helm value that switches it on', async () => {
    const outcome = await perform(request(), { enabled: [] });
    expect(outcome).toMatchObject({ status: 'refused', reason: 'ActionDisabled' });
    expect(outcome.message).toContain('actions.webhook.enabled=true');
    expect(seen.parameters).toEqual([]);
  });

  it.each([
    ['a rule that the TargetApp does not have', { rule: 'rm-rf' }, 'NotInSpec'],
    ['another action than the rule asks for', { action: 'exec_command' }, 'NotInSpec'],
    ['a generation that is no longer in force', { generation: 7 }, 'Superseded'],
  ])('refuses %s, whoever started it', async (_, fields, reason) => {
    expect(await perform(request(fields))).toMatchObject({ status: 'refused', reason });
    expect(seen.parameters).toEqual([]);
  });

  it('goes on with the generation that decided, as long as that is remembered', async () => {
    expect(await perform(request({ generation: 1 }), { generations: [1, 2] })).toEqual(done);
  });

  it('hands a retry to Temporal, with the time that the other side asked for', async () => {
    behave = () => {
      throw new Retry('HTTPStatus', 'answered 503', 7_000);
    };
    await expect(perform(request())).rejects.toMatchObject({
      type: 'HTTPStatus',
      message: 'answered 503',
      nextRetryDelay: 7_000,
      nonRetryable: false,
    });
  });

  it.each([
    [1, 3, 'action to be tried again'],
    [3, 3, 'action ended'],
    [9, undefined, 'action to be tried again'],
  ])('logs that attempt %s of %s failed: %s', async (attempt, maximumAttempts, words) => {
    behave = () => {
      throw new Retry('HTTPStatus', 'answered 503');
    };
    const lines: string[] = [];
    const log = { ...silent, warning: (line: string) => void lines.push(line) };
    const retryPolicy = maximumAttempts === undefined ? {} : { maximumAttempts };
    await expect(perform(request(), { log, info: { attempt, retryPolicy } })).rejects.toThrow('answered 503');
    expect(lines).toEqual([words]);
  });

  it('hands a wait to the workflow, and tells the action when there was one', async () => {
    behave = () => {
      throw new Wait('DisruptionBudget', 'not now', 5_000);
    };
    const waiting = { status: 'waiting', reason: 'DisruptionBudget', message: 'not now', afterMs: 5_000 };
    expect(await perform(request())).toEqual(waiting);
    expect(await perform(request({ waits: 1 }))).toEqual(waiting);
    expect(seen.mayBeDone).toEqual([false, true]);
  });

  it('waits for an API server that cannot be asked what the TargetApp says', async () => {
    const unasked = new KubeError({ reason: 'ConnectFailed', message: 'no answer' });
    expect(await perform(request(), { unasked })).toMatchObject({ status: 'waiting', reason: 'ConnectFailed' });
    const broken = new KubeError({ status: 500, reason: 'InternalError', message: 'broken' });
    expect(await perform(request(), { unasked: broken })).toMatchObject({ status: 'waiting', reason: 'InternalError' });
    const invalid = new KubeError({ status: 422, reason: 'Invalid', message: 'no' });
    await expect(perform(request(), { unasked: invalid })).rejects.toBe(invalid);
    expect(seen.parameters).toEqual([]);
  });
});
