import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { planned, rule, spec } from '../../support/target-app-manifest.ts';

const examples = join(import.meta.dirname, '..', '..', '..', 'examples');
const webhook = (parameters: Record<string, unknown>) =>
  rule({ action: 'webhook', parameters: { url: 'https://hooks.example.com/kco', ...parameters } });
const exec = (parameters: Record<string, unknown>) => rule({ action: 'exec_command', parameters });
const patch = (parameters: Record<string, unknown>) =>
  rule({ action: 'patch_resource', parameters: { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', ...parameters } });
const trigger = (of: Record<string, unknown>) => rule({ trigger: { field: 'application.health', ...of } });

describe('planOf', () => {
  it('fills in defaults', () => {
    expect(planned(spec({ actions: [rule()] }))).toMatchObject({
      generation: 1,
      endpoint: '/graphql',
      perPod: true,
      intervalMs: 30_000,
      timeoutMs: 10_000,
      suspend: false,
      dryRun: false,
      onUnknown: 'keep',
      problems: [],
      rules: [
        {
          name: 'restart_pod-0',
          pods: 'each',
          forMs: 0,
          cooldownMs: 0,
          timeoutMs: 300_000,
          retries: 3,
          repeatable: true,
          onPods: true,
          maxFirings: { max: 5, perMs: 3_600_000 },
          paced: true,
        },
      ],
    });
  });

  it('limits how often a rule fires by itself only where it restarts pods, and paces only that', () => {
    const [asked, webhooks] = planned(
      spec({ actions: [rule({ parameters: { startupGrace: '90s' } }), webhook({})] }),
    ).rules;
    expect(asked).toMatchObject({ startupGraceMs: 90_000, maxFirings: { max: 5 } });
    for (const name of ['maxFirings', 'paced', 'startupGraceMs']) expect(webhooks).not.toHaveProperty(name);
  });

  it('converts durations and quorums', () => {
    const full = rule({
      name: 'full',
      trigger: { field: 'application.health', condition: 'equals', value: null, for: '1h30m', pods: '50%' },
      cooldown: '10m',
      repeatEvery: '45s',
      maxFirings: { max: 3, per: '1h' },
      timeout: 20,
      retries: 0,
      dryRun: true,
    });
    expect(planned(spec({ actions: [full] })).rules).toEqual([
      {
        name: 'full',
        key: expect.stringMatching(/^[0-9a-f]{8}$/),
        question: expect.stringMatching(/^[0-9a-f]{8}$/),
        content: expect.stringMatching(/^[0-9a-f]{8}$/),
        action: 'restart_pod',
        trigger: { field: 'application.health', condition: 'equals', value: null },
        pods: { percent: 50 },
        forMs: 5_400_000,
        cooldownMs: 600_000,
        repeatMs: 45_000,
        maxFirings: { max: 3, perMs: 3_600_000 },
        dryRun: true,
        timeoutMs: 20_000,
        retries: 0,
        repeatable: true,
        onPods: true,
        paced: true,
      },
    ]);
  });

  it.each([
    { endpoint: '/graphql', perPod: true },
    { endpoint: 'app.ns.svc.cluster.local/graphql', perPod: false },
    { endpoint: 'https://app.example.com:8443/graphql', perPod: false },
  ])('asks $endpoint per pod: $perPod', ({ endpoint, perPod }) => {
    expect(planned(spec({ graphqlEndpoint: endpoint }))).toMatchObject({ endpoint, perPod, problems: [] });
  });

  it.each([
    { graphqlEndpoint: '/graphql', port: 'web', scheme: 'https' },
    { graphqlEndpoint: 'app.shop:8443/graphql', scheme: 'https' },
  ])('finds nothing wrong with $graphqlEndpoint beside what it needs', (fields) => {
    expect(planned(spec(fields)).problems).toEqual([]);
  });

  it.each([
    { graphqlEndpoint: 'app.shop/graphql', trigger: { field: 'application.health', condition: 'exists' } },
    { graphqlEndpoint: '/graphql', trigger: { field: 'application.health', condition: 'exists', pods: 'any' } },
  ])(
    'lets a rule restart all pods that fires once for the app: $graphqlEndpoint',
    ({ graphqlEndpoint, trigger: of }) => {
      const actions = [rule({ trigger: of, parameters: { pods: 'all' } })];
      expect(planned(spec({ graphqlEndpoint, actions })).problems).toEqual([]);
    },
  );

  it('caps the timeout of a query to the interval', () => {
    expect(planned(spec({ pollingInterval: 5, timeout: 60 })).timeoutMs).toBe(5000);
  });

  it('never ends an attempt before the timeout that the parameters ask for', () => {
    const rules = [exec({ command: ['x'], timeout: 600 }), exec({ command: ['x'], timeout: 5 })];
    expect(planned(spec({ actions: rules })).rules.map(({ timeoutMs }) => timeoutMs)).toEqual([615_000, 300_000]);
  });

  it('repeats a command only when it says that it is idempotent', () => {
    const rules = [exec({ command: ['x'] }), exec({ command: ['x'], idempotent: true })];
    expect(planned(spec({ actions: rules })).rules.map(({ repeatable }) => repeatable)).toEqual([false, true]);
  });

  it('keeps parameters, headers and the query out of the plan', () => {
    const rules = [webhook({ url: 'https://canary.example.com', headers: { canary: 'canary' }, payload: 'canary' })];
    expect(JSON.stringify(planned(spec({ actions: rules, stateQuery: '{ application { health } }' })))).not.toMatch(
      /canary|application \{/,
    );
  });

  it('lists the state paths that templates mention, each once and without the prefix', () => {
    const rules = [
      webhook({
        payload: ['{{state.application.status}}', '{{tapp_name}}'],
        headers: { a: '{{state.region}} {{state.region}}' },
      }),
    ];
    expect(planned(spec({ actions: rules })).rules[0]?.stateRefs).toEqual(['application.status', 'region']);
  });

  it('converts suspendUntil to milliseconds', () => {
    expect(planned(spec({ suspendUntil: '2026-01-31T06:00:00+01:00' })).suspendUntil).toBe(Date.UTC(2026, 0, 31, 5));
  });

  it.each(readdirSync(examples).filter((file) => file.endsWith('.yaml')))('finds no problem in examples/%s', (file) => {
    const app = parse(readFileSync(join(examples, file), 'utf8'));
    expect(planned(app.spec).problems).toEqual([]);
  });
});

describe('fields to export', () => {
  it('may be any single value that the query selects, and below a field that may hold any JSON', () => {
    const metrics = ['application.health', 'application.version', 'region', 'application.settings.theme'];
    expect(planned(spec({ metrics, ignoreFields: ['application.lastError'] })).problems).toEqual([]);
  });

  it('are not part of the plan: the workflow has nothing to do with them', () => {
    expect(planned(spec({ metrics: ['region'] }))).toEqual(planned(spec()));
  });
});

describe('the digest of a plan', () => {
  it('starts with the generation and is the same for the same spec', () => {
    expect(planned(spec(), 7).digest).toMatch(/^g7-[0-9a-f]{8}$/);
    expect(planned(spec(), 7).digest).toBe(planned(spec(), 7).digest);
  });

  it.each([
    { what: 'the spec', other: planned(spec({ pollingInterval: 31 })) },
    { what: 'the generation', other: planned(spec(), 2) },
    { what: 'a default', other: planned(spec(), 1, { intervalMs: 31_000 }) },
    { what: 'the salt', other: planned(spec(), 1, { salt: 'other' }) },
    { what: 'the query', other: planned(spec({ stateQuery: '{ other }' })) },
  ])('changes with $what', ({ other }) => {
    expect(other.digest).not.toBe(planned(spec()).digest);
  });
});

describe('the source of a plan', () => {
  it('changes with the question', () => {
    const questions = [
      {},
      { port: 80 },
      { scheme: 'https' },
      { graphqlEndpoint: '/other' },
      { stateQuery: '{ a }' },
      { variables: { a: 1 } },
    ];
    expect(new Set(questions.map((part) => planned(spec(part)).source)).size).toBe(questions.length);
  });

  it('does not change with anything else', () => {
    expect(planned(spec({ pollingInterval: 5, actions: [rule()] }), 9).source).toBe(planned(spec()).source);
  });
});

describe('the subscription of a plan', () => {
  const query = 'subscription { a }';
  const of = (part: Record<string, unknown>, turnMs = 1) => planned(spec(part), 1, { turnMs }).subscription;

  it('changes with what is subscribed to, how and where, and with nothing else', () => {
    const wanted = [
      { stateSubscription: { query } },
      { stateSubscription: { query, protocol: 'graphql-sse' } },
      { stateSubscription: { query, variables: { a: 1 } } },
      { stateSubscription: { query, endpoint: '/stream' } },
      { stateSubscription: { query }, port: 81 },
      { stateSubscription: { query }, graphqlEndpoint: '/other' },
    ].map((part) => of(part));
    expect(new Set(wanted).size).toBe(wanted.length);
    expect(of({ stateSubscription: { query }, pollingInterval: 5 })).toBe(wanted[0]);
  });

  it('is absent without one, and where each poll is a turn of its own', () => {
    expect([of({}), of({ stateSubscription: { query } }, 0)]).toEqual([undefined, undefined]);
  });

  it('has nothing of its text', () => {
    expect(JSON.stringify(planned(spec({ stateSubscription: { query } }), 1, { turnMs: 1 }))).not.toContain(query);
  });
});

const toRoom = { action: 'webhook', parameters: { url: 'https://hooks.example.com/room' } };
const at = (field: string) => `spec.actions[0].${field}`;

/** A list in a list in a list: too deep even to be copied as the other specs are. */
const nested = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
};
const mentions = (count: number): string => Array.from({ length: count }, (_, i) => `{{state.z${i}}}`).join(' ');

describe('the problems of a plan', () => {
  it.each([
    { of: { variables: { b: nested(8_000) } }, field: 'spec.variables.b' },
    {
      of: { events: [{ field: 'a', type: 'Normal', reason: 'A', message: 'a', to: nested(8_000) }] },
      field: 'spec.events[0].to',
    },
  ])('name $field where it is nested too deeply', ({ of, field }) => {
    const message = expect.stringContaining('is nested deeper than 64 levels, which are the limit');
    expect(planned({ ...spec(), ...of }).problems).toEqual([{ field, message }]);
    expect(planned({ ...spec(), variables: { b: nested(60) } }).problems).toEqual([]);
  });

  it('are as many, and as long, as a person reads', () => {
    const fields = Array.from({ length: 4_000 }, (_, i) => `f${i}`);
    const stateQuery = `{ ${fields.join(' ')} }`;
    const text = mentions(64);
    const payload = { text };
    const { problems } = planned(
      spec({
        stateQuery,
        actions: Array.from({ length: 32 }, (_, i) => ({
          ...trigger({ field: 'f1', condition: 'changed' }),
          ...toRoom,
          name: `rule-${i}`,
          parameters: { ...toRoom.parameters, payload },
        })),
      }),
    );
    expect(problems).toHaveLength(50);
    expect(problems[0]?.message).toContain('stateQuery selects f0, f1, f2');
    expect(problems[0]?.message).toContain('f19 and 3980 more. Add');
    expect(JSON.stringify(problems).length).toBeLessThan(70_000);
  });

  it.each([
    // The query.
    {
      what: 'a query that does not parse',
      of: { stateQuery: 'query {\n  application {' },
      field: 'spec.stateQuery',
      words: 'does not parse at line 2, column 16: Expected Name, found <EOF>',
    },
    {
      what: 'a mutation',
      of: { stateQuery: 'mutation { stop }' },
      field: 'spec.stateQuery',
      words: 'is a mutation, only a query is asked',
    },
    {
      what: 'a subscription',
      of: { stateQuery: 'subscription { state }' },
      field: 'spec.stateQuery',
      words: 'is a subscription',
    },
    {
      what: 'two operations',
      of: { stateQuery: 'query A { a } query B { b }' },
      field: 'spec.stateQuery',
      words: 'has 2 operations, exactly one is the limit',
    },
    {
      what: 'no operation',
      of: { stateQuery: 'fragment F on Query { a }' },
      field: 'spec.stateQuery',
      words: 'has no operation',
    },
    {
      what: 'a missing fragment',
      of: { stateQuery: '{ ...F }' },
      field: 'spec.stateQuery',
      words: 'spreads the fragment F',
    },
    {
      what: 'fragments that spread each other twice, which doubles what is selected with each',
      of: {
        stateQuery: `{ ...f0 } fragment f60 on T { a } ${Array.from(
          { length: 60 },
          (_, i) => `fragment f${i} on T { ...f${i + 1} ...f${i + 1} }`,
        ).join(' ')}`,
      },
      field: 'spec.stateQuery',
      words: 'selects more than 10000 fields with its fragments written out: select fewer',
    },
    {
      what: 'a query that is nested too deeply',
      of: { stateQuery: `${'{ a '.repeat(4_000)}${'}'.repeat(4_000)}` },
      field: 'spec.stateQuery',
      words: 'is nested 4000 levels deep, 64 are the limit',
    },
    {
      what: 'templates that mention too much',
      of: {
        actions: [
          rule({ action: 'webhook', parameters: { ...toRoom.parameters, payload: { text: mentions(50_000) } } }),
        ],
      },
      field: at('parameters'),
      words: 'mention 50000 different template variables, 64 are the limit',
    },
    {
      what: 'a query in place of a subscription',
      of: { stateSubscription: { query: '{ a }' } },
      field: 'spec.stateSubscription.query',
      words: 'is a query, only a subscription has messages',
    },
    {
      what: 'a subscription that does not parse',
      of: { stateSubscription: { query: 'subscription {' } },
      field: 'spec.stateSubscription.query',
      words: 'does not parse at line 1, column 15',
    },
    {
      what: 'two subscriptions',
      of: { stateSubscription: { query: 'subscription A { a } subscription B { b }' } },
      field: 'spec.stateSubscription.query',
      words: 'has 2 operations, exactly one is the limit',
    },
    {
      what: 'a variable that the subscription lacks',
      of: { stateSubscription: { query: 'subscription ($c: Int!) { a(b: $c) }' }, variables: { c: 1 } },
      field: 'spec.stateSubscription.query',
      words: 'needs $c, which spec.stateSubscription.variables does not give',
    },
    { what: 'an undeclared variable', of: { stateQuery: '{ a(b: $c) }' }, field: 'spec.stateQuery', words: 'uses $c' },
    {
      what: 'a variable without a value',
      of: { stateQuery: 'query ($c: Int!) { a(b: $c) }' },
      field: 'spec.stateQuery',
      words: 'needs $c',
    },
    // Fields that the query does not select.
    {
      what: 'a trigger on an unselected field',
      of: { actions: [trigger({ field: 'application.helth', condition: 'changed' })] },
      field: at('trigger.field'),
      words:
        "'application.helth' is not selected by stateQuery: under 'application' stateQuery selects status, health, pendingTasks, version, lastError, nodes, settings",
    },
    {
      what: 'the name behind an alias',
      of: { actions: [trigger({ field: 'application.release', condition: 'changed' })] },
      field: at('trigger.field'),
      words: "'application.release' is not selected",
    },
    {
      what: 'an unselected field to ignore',
      of: { ignoreFields: ['application.health', 'app'] },
      field: 'spec.ignoreFields[1]',
      words: 'stateQuery selects application, region',
    },
    {
      what: 'an unselected field of an Event',
      of: { events: [{ field: 'x', type: 'Normal', reason: 'X', message: 'x' }] },
      field: 'spec.events[0].field',
      words: "'x' is not selected",
    },
    {
      what: 'an unselected field to export',
      of: { metrics: ['application.health', 'application.pending'] },
      field: 'spec.metrics[1]',
      words:
        "'application.pending' is not selected by stateQuery: under 'application' stateQuery selects status, health, pendingTasks",
    },
    {
      what: 'an object to export',
      of: { metrics: ['application'] },
      field: 'spec.metrics[0]',
      words: "'application' has fields of its own and is no single value: name one of them, e.g. application.status",
    },
    {
      what: 'an element of a list to export',
      of: { metrics: ['application.nodes[0].status'] },
      field: 'spec.metrics[0]',
      words: '"application.nodes[0].status" is not the path of a single value: write field names with dots',
    },
    {
      what: 'a field to export that is ignored',
      of: { metrics: ['application.settings.theme'], ignoreFields: ['region', 'application.settings'] },
      field: 'spec.metrics[0]',
      words: "'application.settings.theme' is ignored by spec.ignoreFields[1], and what is ignored is not exported",
    },
    {
      what: 'a field to export twice',
      of: { metrics: ['region', 'application.health', 'region'] },
      field: 'spec.metrics[2]',
      words: "'region' is spec.metrics[0] already: remove it",
    },
    {
      what: '17 fields to export',
      of: { metrics: Array.from({ length: 17 }, (_, i) => `application.settings.f${i}`) },
      field: 'spec.metrics',
      words: 'is above the limit: at most 16 entries',
    },
    // Triggers.
    {
      what: 'a missing value',
      of: { actions: [trigger({ condition: 'equals' })] },
      field: at('trigger.value'),
      words: 'is required for condition equals',
    },
    {
      what: 'a value too many',
      of: { actions: [trigger({ condition: 'changed', value: 1 })] },
      field: at('trigger.value'),
      words: 'has no meaning for condition changed: remove it, or use changed_to',
    },
    {
      what: 'text where numbers compare',
      of: { actions: [trigger({ condition: 'greater_than', value: '5' })] },
      field: at('trigger.value'),
      words: '"5" is not a number, and greater_than compares numbers only: write 5 without quotes',
    },
    {
      what: 'one value where a list is needed',
      of: { actions: [trigger({ condition: 'in', value: 'a' })] },
      field: at('trigger.value'),
      words: '"a" is not a list with entries, which in needs',
    },
    {
      what: 'a regular expression with a mistake',
      of: { actions: [trigger({ condition: 'matches', value: '(' })] },
      field: at('trigger.value'),
      words: 'is not a regular expression',
    },
    {
      what: 'a regular expression that takes too long',
      of: { actions: [trigger({ condition: 'matches', value: '(a?){200}b' })] },
      field: at('trigger.value'),
      words: 'steps for each character of a text, 80 are the limit',
    },
    {
      what: 'a regular expression that only a matcher that goes back can match',
      of: { actions: [trigger({ condition: 'matches', value: '(?=down)d' })] },
      field: at('trigger.value'),
      words: '"(?=down)d" looks ahead or behind: write what is to match itself',
    },
    {
      what: 'regular expressions that take too long together',
      of: {
        actions: Array.from({ length: 8 }, (_, i) =>
          rule({ name: `rule-${i}`, trigger: { field: 'application.health', condition: 'matches', value: 'a{250}' } }),
        ),
      },
      field: 'spec.actions',
      words: 'steps for each character of a text, 512 are the limit for all rules together: use equals, in or contains',
    },
    {
      what: 'for with an edge',
      of: { actions: [trigger({ condition: 'changed', for: '1m' })] },
      field: at('trigger.for'),
      words: 'has no meaning for condition changed',
    },
    {
      what: 'a trigger without a field',
      of: { actions: [rule({ trigger: { condition: 'exists' } })] },
      field: at('trigger.field'),
      words: 'is required for condition exists',
    },
    {
      what: 'as: number where no numbers are compared',
      of: { actions: [trigger({ condition: 'contains', value: 'x', as: 'number' })] },
      field: at('trigger.as'),
      words: 'has no meaning for condition contains, which compares no numbers: remove it',
    },
    {
      what: 'as: number with a value that is no number',
      of: { actions: [trigger({ condition: 'equals', value: 'many', as: 'number' })] },
      field: at('trigger.value'),
      words: '"many" is neither a number nor the text of one',
    },
    {
      what: 'as: number with a list that has something else',
      of: { actions: [trigger({ condition: 'in', value: [1, '2', '0x3'], as: 'number' })] },
      field: at('trigger.value'),
      words: '"0x3" is neither a number nor the text of one',
    },
    {
      what: 'a value that is no number in this process',
      of: { actions: [trigger({ condition: 'greater_than', value: 2 ** 53 })] },
      field: at('trigger.value'),
      words: 'cannot be compared exactly: write it in quotes, and add as: number',
    },
    {
      what: 'failing with a field',
      of: { actions: [trigger({ condition: 'failing' })] },
      field: at('trigger.field'),
      words: 'has no meaning for condition failing, which is about no field: remove it',
    },
    {
      what: 'noPods on some of the pods',
      of: { actions: [rule({ trigger: { condition: 'noPods', pods: 'any' }, ...toRoom })] },
      field: at('trigger.pods'),
      words: 'has no meaning for condition noPods, which is about there being none: remove it',
    },
    {
      what: 'noPods beside a URL',
      of: { graphqlEndpoint: 'app.shop/graphql', actions: [rule({ trigger: { condition: 'noPods' }, ...toRoom })] },
      field: at('trigger.condition'),
      words: 'noPods is about the pods of an app that are asked one by one, and graphqlEndpoint is a URL',
    },
    {
      what: 'a restart of the pods that are not there',
      of: { actions: [rule({ trigger: { condition: 'noPods' } })] },
      field: at('action'),
      words: 'restart_pod acts on pods, and noPods is true when there are none: use webhook',
    },
    {
      what: 'unreachable with a field',
      of: { actions: [trigger({ condition: 'unreachable' })] },
      field: at('trigger.field'),
      words: 'has no meaning for condition unreachable',
    },
    {
      what: 'an unknown condition',
      of: { actions: [trigger({ condition: 'equal', value: 1 })] },
      field: at('trigger.condition'),
      words: '"equal" is not allowed: use changed, changed_from',
    },
    {
      what: 'half of the pods in words',
      of: { actions: [trigger({ condition: 'exists', pods: 'half' })] },
      field: at('trigger.pods'),
      words: '"half" is not a number of pods: use each, any, all, a percentage',
    },
    {
      what: 'a path that is none',
      of: { actions: [trigger({ field: 'a..b', condition: 'exists' })] },
      field: at('trigger.field'),
      words: 'is not a path',
    },
    // Actions.
    {
      what: 'an unknown action',
      of: { actions: [rule({ action: 'restart' })] },
      field: at('action'),
      words: '"restart" is not allowed: use exec_command, patch_resource, restart_pod, scale_deployment, webhook',
    },
    {
      what: 'a missing parameter',
      of: { actions: [rule({ action: 'scale_deployment', parameters: {} })] },
      field: at('parameters.replicas'),
      words: 'is required: add it',
    },
    {
      what: 'missing parameters',
      of: { actions: [rule({ action: 'scale_deployment' })] },
      field: at('parameters'),
      words: 'is required: add it',
    },
    {
      what: 'a parameter of another action',
      of: { actions: [rule({ parameters: { patch: {} } })] },
      field: at('parameters.patch'),
      words: 'is not a field here',
    },
    {
      what: 'negative replicas',
      of: { actions: [rule({ action: 'scale_deployment', parameters: { replicas: -1 } })] },
      field: at('parameters.replicas'),
      words: '-1 is below the limit: at least 0',
    },
    ...[undefined, { evict: true }, { pods: 'triggering' }].map((parameters) => ({
      what: `restarting the pods that an app behind a URL does not tell of (${JSON.stringify(parameters)})`,
      of: { graphqlEndpoint: 'https://app.shop/graphql', actions: [rule({ parameters })] },
      field: at('parameters.pods'),
      words: 'must be all where graphqlEndpoint is a URL, which tells of no single pod: write parameters: {pods: all}',
    })),
    {
      what: 'restarting all pods whenever one is well again',
      of: { actions: [rule({ onRecovery: [{ action: 'restart_pod', parameters: { pods: 'all' } }] })] },
      field: at('onRecovery[0].parameters.pods'),
      words: 'must not be all where the rule fires for each pod',
    },
    {
      what: 'restarting all pods for each pod that is sick',
      of: { actions: [rule({ parameters: { pods: 'all' } })] },
      field: at('parameters.pods'),
      words: 'must not be all where the rule fires for each pod',
    },
    {
      what: 'a duplicate name',
      of: { actions: [rule({ name: 'restart_pod-1' }), rule()] },
      field: 'spec.actions[1].name',
      words: '"restart_pod-1" is the name of spec.actions[0] too',
    },
    {
      what: 'an unknown template variable',
      of: { actions: [webhook({ payload: '{{tap_name}}' })] },
      field: at('parameters'),
      words: '{{tap_name}} is not a template variable: use action_id, field',
    },
    {
      what: 'logic in a template',
      of: { actions: [webhook({ payload: '{{tapp_name | upper}}' })] },
      field: at('parameters'),
      words: 'is not a template variable',
    },
    {
      what: 'a template with an unselected path',
      of: { actions: [webhook({ payload: '{{state.application.x}}' })] },
      field: at('parameters'),
      words: "'application.x' is not selected",
    },
    {
      what: 'a template in a URL',
      of: { actions: [webhook({ url: 'https://x/{{pod_name}}' })] },
      field: at('parameters'),
      words: '{{pod_name}} stands where webhook takes text literally',
    },
    {
      what: 'a template as the program',
      of: { actions: [exec({ command: ['{{new_value}}', 'x'] })] },
      field: at('parameters'),
      words: '{{new_value}} stands where exec_command takes text literally',
    },
    {
      what: 'a template in the place of a JSON patch',
      of: { actions: [patch({ patchType: 'json', patch: [{ op: 'add', path: '/data/{{field}}', value: 1 }] })] },
      field: at('parameters'),
      words: 'takes text literally',
    },
    {
      what: 'a JSON patch that appends',
      of: { actions: [patch({ patchType: 'json', patch: [{ op: 'add', path: '/a/-', value: 1 }] })] },
      field: at('parameters.patch'),
      words: 'puts something into a list, takes it out by its index, or moves it, without a test',
    },
    {
      what: 'a JSON patch that is no list',
      of: { actions: [patch({ patchType: 'json', patch: { a: 1 } })] },
      field: at('parameters.patch'),
      words: 'must be a list of operations',
    },
    {
      what: 'a merge patch that is a list',
      of: { actions: [patch({ patch: [] })] },
      field: at('parameters.patch'),
      words: 'must be an object for patchType merge',
    },
    {
      what: 'a missing patch',
      of: { actions: [patch({})] },
      field: at('parameters.patch'),
      words: 'is required: add it',
    },
    // The rest.
    {
      what: 'a time that is none',
      of: { suspendUntil: 'tomorrow' },
      field: 'spec.suspendUntil',
      words: '"tomorrow" is not a time',
    },
    {
      what: 'an interval of 0',
      of: { pollingInterval: 0 },
      field: 'spec.pollingInterval',
      words: '0 is below the limit: at least 1',
    },
    {
      what: 'an interval in words',
      of: { pollingInterval: '30s' },
      field: 'spec.pollingInterval',
      words: '"30s" has the wrong type: it must be number',
    },
    {
      what: 'an empty selector',
      of: { selector: {} },
      field: 'spec.selector',
      words: 'is empty and would match every pod',
    },
    { what: 'no selector', of: { selector: undefined }, field: 'spec.selector', words: 'is required: add it' },
    {
      what: 'a file as endpoint',
      of: { graphqlEndpoint: 'file:///etc/passwd' },
      field: 'spec.graphqlEndpoint',
      words: '"file:///etc/passwd" is not an endpoint that can be asked',
    },
    {
      what: 'one word as endpoint',
      of: { graphqlEndpoint: 'graphql' },
      field: 'spec.graphqlEndpoint',
      words: `"graphql" names a host; for a path on each pod write '/graphql', for a host 'http://graphql'`,
    },
    {
      what: 'a port beside a host',
      of: { graphqlEndpoint: 'app.shop/graphql', port: 8080 },
      field: 'spec.port',
      words: '8080 is for a path on each pod and would not be used: put the port into the URL of graphqlEndpoint',
    },
    {
      what: 'a scheme beside a URL that has one',
      of: { graphqlEndpoint: 'http://app.shop/graphql', scheme: 'https' },
      field: 'spec.scheme',
      words: '"https" would not be used, because graphqlEndpoint has a scheme of its own: put it into that URL',
    },
    { what: 'an unknown field', of: { pollInterval: 3 }, field: 'spec.pollInterval', words: 'is not a field here' },
    {
      what: 'an Event with a variable that it does not have',
      of: { events: [{ field: 'region', type: 'Normal', reason: 'X', message: '{{rule}}' }] },
      field: 'spec.events[0].message',
      words: '{{rule}} is not a template variable of an Event',
    },
    {
      what: '200 rules',
      of: { actions: Array.from({ length: 200 }, () => rule()) },
      field: 'spec.actions',
      words: 'is above the limit: at most 32 entries',
    },
    {
      what: 'a query of 1 MB',
      of: { stateQuery: `{ a } #${'x'.repeat(1_000_000)}` },
      field: 'spec.stateQuery',
      words: 'is above the limit: at most 32768 characters',
    },
  ])('name $what', ({ of, field, words }) => {
    const { problems } = planned(spec(of));
    expect(problems).toEqual([{ field, message: expect.stringContaining(words) }]);
  });

  it.each([
    {
      what: 'a JSON patch that appends after a test',
      of: {
        actions: [
          patch({
            patchType: 'json',
            patch: [
              { op: 'test', path: '/a', value: [] },
              { op: 'add', path: '/a/-', value: 1 },
            ],
          }),
        ],
      },
    },
    { what: 'a value that is null', of: { actions: [trigger({ condition: 'equals', value: null })] } },
    {
      what: 'a path below a field that may hold JSON',
      of: { actions: [trigger({ field: 'application.settings.a[0].b', condition: 'exists' })] },
    },
    {
      what: 'a path through a list',
      of: { actions: [trigger({ field: 'application.nodes[*].status', condition: 'exists' })] },
    },
    {
      what: 'fields behind an alias and fragments',
      of: { ignoreFields: ['application.version', 'application.lastError', 'region'] },
    },
    {
      what: 'numbers that come as text',
      of: {
        actions: [
          trigger({ condition: 'greater_than', value: '9007199254740993', as: 'number' }),
          trigger({ condition: 'not_in', value: [1, '2.5', null], as: 'number' }),
          trigger({ condition: 'increased', as: 'number' }),
        ],
      },
    },
    {
      what: 'failing and noPods without a field',
      of: {
        actions: [
          rule({ trigger: { condition: 'failing', pods: 'all' } }),
          rule({ trigger: { condition: 'noPods', for: '2m' }, ...toRoom }),
        ],
      },
    },
    {
      what: 'unreachable without a field',
      of: { actions: [rule({ trigger: { condition: 'unreachable', for: '2m' } })] },
    },
    {
      what: 'a variable with a value',
      of: { stateQuery: 'query ($c: Int!, $d: Int! = 1, $e: Int) { a(b: $c, d: $d, e: $e) }', variables: { c: 1 } },
    },
  ])('are none for $what', ({ of }) => {
    expect(planned(spec(of)).problems).toEqual([]);
  });

  it.each([null, undefined, 'text', 5, [], { actions: 'none' }, { selector: null, actions: [null] }])(
    'are data, never an exception, for the spec %j',
    (of) => {
      expect(planned(of).problems.length).toBeGreaterThan(0);
    },
  );

  it('never show a user name or a password', () => {
    const urls = {
      graphqlEndpoint: 'http://canary:canary@x/graphql',
      actions: [webhook({ url: 'https://canary:canary@x/' })],
    };
    const { problems } = planned(spec(urls));
    expect(problems.map(({ field }) => field)).toEqual(['spec.graphqlEndpoint', 'spec.actions[0].parameters.url']);
    expect(JSON.stringify(problems)).not.toContain('canary');
  });

  it('keep a plan with problems from watching: it has no rules when the spec cannot be understood', () => {
    expect(planned(spec({ actions: [rule({ action: 'restart' })] })).rules).toEqual([]);
  });
});
