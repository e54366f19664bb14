import { beforeEach, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createActionActivity } from '../../../src/activities/target-app/action-activity.ts';
import { type Action, Retry, Wait } from '../../../src/activities/target-app/actions/action.ts';
import type { EffectiveSpec } from '../../../src/activities/target-app/reader.ts';
import { compileSpec } from '../../../src/api/target-app/compile-spec.ts';
import { TargetAppSpec } from '../../../src/api/target-app/schema.ts';
import { KubeError } from '../../../src/clients/kubernetes/client.ts';
import type { PodRef } from '../../../src/domain/refs.ts';
import type { ActionOutcome, ActionRequest, ActionResult } from '../../../src/domain/target-app/action.ts';
import type { Log } from '../../../src/telemetry/logger.ts';
import { createRedactor } from '../../../src/telemetry/redactor.ts';
import { defaults } from '../../support/target-app-manifest.ts';

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

const inForce = (generation: number, of: object = spec): EffectiveSpec => ({
  generation,
  plan: compileSpec({ metadata: { name: 'cart', namespace: 'shop', uid: 'u', generation }, spec: of }, defaults).plan,
  spec: TargetAppSpec.parse(of),
});

const [tell] = spec.actions;
/** The spec with other rules, and perhaps other fields. */
const specWith = (actions: object[], fields: object = {}) => ({ ...spec, ...fields, actions });
const restart = { name: 'restart', trigger: tell?.trigger, action: 'restart_pod' };
const edited = specWith([{ ...tell, parameters: { ...tell?.parameters, url: 'http://127.0.0.1:9/other' } }]);
/** How the plan of a spec names what its first rule asks for. */
const contentOf = (of: object) => inForce(1, of).plan.rules[0]?.content ?? '';

const request = (fields: Partial<ActionRequest> = {}): ActionRequest => ({
  id: 'u:1:tell:p:x:0',
  namespace: 'shop',
  name: 'cart',
  uid: 'u',
  generation: 1,
  rule: 'tell',
  content: contentOf(spec),
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

/** What takes a known secret out of outcomes. */
const redactor = createRedactor();
redactor.add('s3cr3t-key');

const done: ActionOutcome = { status: 'succeeded', reason: 'Delivered', message: 'done' };
/** What the action was called with, and what it does. */
const seen = { parameters: [] as unknown[], mayBeDone: [] as boolean[], requests: [] as ActionRequest[] };
let behave: () => ActionOutcome = () => done;

const actionCalled = (name: string): Action<unknown> => ({
  name,
  run: async ({ mayBeDone, request: asked }, parameters) => {
    seen.parameters.push(parameters);
    seen.mayBeDone.push(mayBeDone);
    seen.requests.push(asked);
    return behave();
  },
});

beforeEach(() => {
  Object.assign(seen, { parameters: [], mayBeDone: [], requests: [] });
  behave = () => done;
});

const perform = (
  asked: ActionRequest,
  options: {
    enabled?: string[];
    now?: EffectiveSpec;
    before?: EffectiveSpec;
    isGone?: boolean;
    selected?: PodRef[];
    unasked?: KubeError;
    log?: Log;
    info?: ConstructorParameters<typeof MockActivityEnvironment>[0];
  } = {},
) => {
  const {
    enabled = ['restart_pod', 'webhook'],
    now = inForce(1),
    before,
    isGone,
    unasked,
    log = silent,
    info,
  } = options;
  const performing = createActionActivity({
    apps: {
      present: async () => {
        if (unasked) throw unasked;
        return isGone ? undefined : { now, ...(before && { before }) };
      },
    },
    pods: { selected: () => [] },
    selectedPods: async ({ pods }) => options.selected ?? [...pods],
    enabled: new Set(enabled),
    workflowUrl: ({ id }) => `http://ui/${id}`,
    log,
    redact: redactor.redact,
  });
  const environment = new MockActivityEnvironment(info);
  return environment.run(() =>
    performing(actionCalled(asked.action), asked, new AbortController().signal),
  ) as Promise<ActionResult>;
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

  it('leaves a secret that this process knows out of what an action says', async () => {
    const message = 'the receiver says: s3cr3t-key expired';
    behave = () => ({ ...done, message, output: 'key=s3cr3t-key' });
    expect(await perform(request())).toMatchObject({
      message: 'the receiver says: [redacted] expired',
      output: 'key=[redacted]',
    });
    behave = () => {
      throw new Wait('HTTPStatus', message, 1_000);
    };
    expect(await perform(request())).toMatchObject({ message: 'the receiver says: [redacted] expired' });
    behave = () => {
      throw new Retry('HTTPStatus', message);
    };
    await expect(perform(request())).rejects.toThrow('the receiver says: [redacted] expired');
  });

  it('refuses what is switched off, and names the Helm value that switches it on', async () => {
    const outcome = await perform(request(), { enabled: [] });
    expect(outcome).toMatchObject({ status: 'refused', reason: 'ActionDisabled' });
    expect(outcome.message).toContain('actions.webhook.enabled=true');
    expect(seen.parameters).toEqual([]);
  });

  it.each([
    ['a rule that the TargetApp does not have', { content: '00000000' }, 'NotInSpec'],
    ['another action than the rule asks for', { action: 'restart_pod' }, 'NotInSpec'],
    ['the end of an episode that the rule has nothing for', { recovery: 0 }, 'NotInSpec'],
  ])('refuses %s, whoever started it', async (_, fields, reason) => {
    expect(await perform(request(fields))).toMatchObject({ status: 'refused', reason });
    expect(seen.parameters).toEqual([]);
  });

  it('carries out a rule that an edit has left as it was, whatever its name and place', async () => {
    const now = inForce(2, specWith([restart, { ...tell, name: 'told' }], { pollingInterval: 7 }));
    expect(await perform(request(), { now })).toEqual(done);
    expect(seen.parameters).toMatchObject([tell?.parameters ? { url: tell.parameters.url } : {}]);
  });

  it.each<[string, Parameters<typeof perform>[1]]>([
    ['was edited', { now: inForce(2, edited) }],
    ['was edited, though what it was is remembered', { now: inForce(2, edited), before: inForce(1) }],
    ['was removed', { now: inForce(2, specWith([restart])) }],
  ])('undoes a firing whose rule %s before anything of it was begun', async (_, options) => {
    const outcome = await perform(request(), options);
    expect(outcome).toMatchObject({ status: 'refused', reason: 'Superseded', undone: true });
    expect(seen.parameters).toEqual([]);
  });

  it('finishes what has begun as it was decided, for as long as that is remembered', async () => {
    expect(await perform(request({ begun: true }), { now: inForce(2, edited), before: inForce(1) })).toEqual(done);
    expect(seen.parameters).toMatchObject([{ url: 'http://127.0.0.1:9/hook' }]);
  });

  it.each<[string, Partial<ActionRequest>, Parameters<typeof perform>[1], string]>([
    ['an earlier call', { begun: true }, { now: inForce(2, edited) }, 'Superseded'],
    ['an earlier attempt', {}, { now: inForce(2, edited), info: { attempt: 2 } }, 'Superseded'],
    ['an earlier call, of a TargetApp that is gone', { begun: true }, { isGone: true }, 'Deleted'],
  ])('never says that nothing was done where %s may have done it', async (_, fields, options, reason) => {
    const outcome = await perform(request(fields), options);
    expect(outcome).toMatchObject({ status: 'unknown', reason });
    expect(outcome).not.toHaveProperty('undone');
  });

  it('finds what is to be done at the end of an episode by what it says', async () => {
    const onRecovery = [{ action: 'webhook', parameters: { url: 'http://127.0.0.1:9/up' } }];
    const now = inForce(1, specWith([{ ...restart, onRecovery }]));
    const content = now.plan.rules[0]?.onRecovery?.[0]?.content ?? '';
    expect(await perform(request({ rule: 'restart', content, recovery: 0 }), { now })).toEqual(done);
    expect(seen.parameters).toMatchObject([{ url: 'http://127.0.0.1:9/up' }]);
    // The action of the rule itself is another one.
    expect(await perform(request({ content }), { now })).toMatchObject({ reason: 'NotInSpec' });
  });

  it.each([
    ['the TargetApp', { dryRun: true }, {}],
    ['the rule', {}, { dryRun: true }],
  ])('is a dry run where %s says so, whatever the request says', async (_, fields, rule) => {
    const of = specWith([{ ...tell, ...rule }], fields);
    await perform(request(), { now: inForce(1, of) });
    expect(seen.requests).toMatchObject([{ dryRun: true }]);
  });

  it('does nothing for a TargetApp that is suspended, whoever asks', async () => {
    const outcome = await perform(request(), { now: inForce(1, specWith(spec.actions, { suspend: true })) });
    expect(outcome).toMatchObject({ status: 'waiting', reason: 'Suspended' });
    expect(seen.parameters).toEqual([]);
  });

  it('acts on pods that the selector selects, and on no others', async () => {
    const now = inForce(1, specWith([restart]));
    const pods = [
      { uid: 'p', name: 'cart-1' },
      { uid: 'q', name: 'kube-proxy' },
    ];
    const asked = request({ rule: 'restart', action: 'restart_pod', content: now.plan.rules[0]?.content ?? '', pods });
    await perform(asked, { now, selected: pods.slice(0, 1) });
    expect(seen.requests).toMatchObject([{ pods: pods.slice(0, 1) }]);
    const none = await perform(asked, { now, selected: [] });
    expect(none).toMatchObject({ status: 'refused', reason: 'NotSelected', undone: true });
    expect(seen.requests).toHaveLength(1);
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
    [1, 3, 'action attempt failed, will retry'],
    [3, 3, 'action finished'],
    [9, undefined, 'action attempt failed, will retry'],
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
    expect(await perform(request({ begun: true }))).toEqual({ ...waiting, begun: true });
    expect(seen.mayBeDone).toEqual([false, true]);
  });

  it('waits for an API server that cannot be asked what the TargetApp says', async () => {
    const unasked = new KubeError({ reason: 'ConnectFailed', message: 'no answer' });
    expect(await perform(request(), { unasked })).toMatchObject({ status: 'waiting', reason: 'ConnectFailed' });
    const broken = new KubeError({ status: 503, reason: 'ServiceUnavailable', message: 'broken' });
    const waiting = await perform(request(), { unasked: broken });
    expect(waiting).toMatchObject({ status: 'waiting', reason: 'ServiceUnavailable' });
    expect(waiting).not.toHaveProperty('begun');
    const odd = new KubeError({ status: 418, reason: 'Odd', message: 'odd' });
    await expect(perform(request(), { unasked: odd })).rejects.toBe(odd);
    expect(seen.parameters).toEqual([]);
  });
});
