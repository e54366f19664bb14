import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createToolLocator } from '../../dev/servers/locate-tool.ts';
import { type Servers, startServers } from '../../dev/servers/start-servers.ts';
import type { TargetAppStatus } from '../../src/api/target-app/status.ts';
import { conditions } from '../../src/domain/target-app/trigger-conditions.ts';
import { createKubectl, type Kubectl } from '../support/kubectl.ts';
import { rule, spec } from '../support/target-app-manifest.ts';

const root = join(import.meta.dirname, '..', '..');
const examples = readdirSync(join(root, 'examples')).filter((file) => file.endsWith('.yaml'));
let servers: Servers;
let kubectl: Kubectl;

/** One test writes what the next one reads, so every manifest has a name of its own. */
let written = 0;
const manifest = (of: unknown): string => {
  written += 1;
  const metadata = { name: `app-${written}`, namespace: 'default' };
  return JSON.stringify({ apiVersion: 'operator.kco.local/v1alpha1', kind: 'TargetApp', metadata, spec: of });
};
const create = (of: unknown) => kubectl(['create', '-f', '-', '-o', 'json'], manifest(of));

/** Asks until the new kind is served; `kubectl wait` fails on a CRD that has no conditions yet. */
async function served(): Promise<void> {
  const deadline = Date.now() + 30_000;
  while ((await kubectl(['get', 'targetapps'])).code !== 0)
    if (Date.now() > deadline) throw new Error('The API server did not serve TargetApps within 30 s.');
}

beforeAll(async () => {
  servers = await startServers({ parts: 'kubernetes' });
  kubectl = createKubectl(await createToolLocator().locate('kubectl'), servers.kubernetes.kubeconfig);
  expect(await kubectl(['apply', '-f', join(root, 'crds')])).toMatchObject({ code: 0, stderr: '' });
  await served();
}, 900_000);

afterAll(() => servers?.stop());

describe('the API server accepts', () => {
  it.each(examples)('examples/%s', async (file) => {
    expect(await kubectl(['apply', '-f', join(root, 'examples', file)])).toMatchObject({ code: 0, stderr: '' });
  });

  it.each(Object.entries(conditions))('the condition %s', async (condition, { kind, value }) => {
    const field = kind === 'absence' ? {} : { field: 'application.health' };
    const compared = value === 'none' ? {} : { value: value === 'list' ? ['a'] : 'a' };
    expect(await create(spec({ actions: [rule({ trigger: { condition, ...field, ...compared } })] }))).toMatchObject({
      code: 0,
    });
  });

  it.each([null, 'text', '', 0, 1.5, true, [1, null, { a: null }], { a: { b: [null] } }])(
    'the trigger value %j and gives it back as it was',
    async (value) => {
      const { stdout } = await create(
        spec({ actions: [rule({ trigger: { field: 'a', condition: 'equals', value } })] }),
      );
      expect(JSON.parse(stdout).spec.actions[0].trigger).toEqual({ field: 'a', condition: 'equals', value });
    },
  );

  it('a null to compare with as [null], because kubectl apply drops a null by itself', async () => {
    const apply = (condition: string, value: unknown) =>
      kubectl(
        ['apply', '-f', '-', '-o', 'json'],
        manifest(spec({ actions: [rule({ trigger: { field: 'a', condition, value } })] })),
      );
    expect(JSON.parse((await apply('in', [null])).stdout).spec.actions[0].trigger.value).toEqual([null]);
    expect((await apply('equals', null)).stderr).toContain('spec.actions[0].trigger.value: Required value');
  });

  it('payloads, patches and variables and gives them back as they were', async () => {
    const any = { a: null, b: [null, { c: null }], d: 1.5 };
    const patch = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', patch: any };
    const actions = [
      rule({ action: 'webhook', parameters: { url: 'https://x/', payload: any } }),
      rule({ action: 'patch_resource', parameters: patch }),
    ];
    const made = JSON.parse((await create(spec({ variables: any, actions }))).stdout).spec;
    expect([made.variables, made.actions[0].parameters, made.actions[1].parameters]).toEqual([
      any,
      { url: 'https://x/', payload: any },
      patch,
    ]);
  });

  it.each(['/graphql/stream', 'wss://bus.shop/x', 'http://bus.shop', 'bus.shop:81/x'])(
    'a subscription at %s',
    async (endpoint) => {
      const query = 'subscription { a }';
      const { stdout } = await create(spec({ stateSubscription: { query, endpoint } }));
      expect(JSON.parse(stdout).spec.stateSubscription).toEqual({ query, endpoint });
    },
  );

  it('a rule without adding parameters of other actions to it', async () => {
    const { stdout } = await create(spec({ actions: [rule({ parameters: { gracePeriod: 30 } })] }));
    expect(JSON.parse(stdout).spec.actions[0].parameters).toEqual({ gracePeriod: 30 });
  });

  it.each(['any', 'all', '50%', 2])('restarting all pods when so many are sick: %s', async (pods) => {
    const trigger = { field: 'a', condition: 'exists', pods };
    expect(await create(spec({ actions: [rule({ trigger, parameters: { pods: 'all' } })] }))).toMatchObject({
      code: 0,
    });
  });

  it.each(['app.shop/graphql', 'https://app.example.com'])('restarting all pods of an app at %s', async (endpoint) => {
    const actions = [
      rule({ parameters: { pods: 'all' } }),
      rule({ action: 'webhook', parameters: { url: 'https://x/' } }),
    ];
    expect(await create(spec({ graphqlEndpoint: endpoint, actions }))).toMatchObject({ code: 0 });
  });

  it('16 fields as metrics, each with a path as long as it may be', async () => {
    const metrics = Array.from({ length: 16 }, (_, index) => `a.${'b'.repeat(252)}${10 + index}`);
    const { stdout } = await create(spec({ metrics }));
    expect(JSON.parse(stdout).spec.metrics).toEqual(metrics);
  });

  it('32 rules, and numbers and names as port and pods', async () => {
    const trigger = { field: 'a', condition: 'exists' };
    const pods = ['each', 'any', 'all', '1%', '100%', 1, 100];
    const actions = Array.from({ length: 32 }, (_, index) =>
      rule({ name: `r-${index}`, trigger: { ...trigger, pods: pods[index % pods.length] } }),
    );
    for (const port of [8080, 'http']) expect(await create(spec({ port, actions }))).toMatchObject({ code: 0 });
  });
});

const at = (field: string): string => `spec.actions[0].${field}: `;
const withTrigger = (trigger: Record<string, unknown>) => ({ actions: [rule({ trigger })] });
const withAction = (action: string, parameters?: Record<string, unknown>) => ({
  actions: [rule({ action, parameters })],
});
const withUrl = (url: string) => withAction('webhook', { url });

describe('the API server refuses', () => {
  it.each([
    {
      what: 'an interval of 0',
      of: { pollingInterval: 0 },
      words: ['spec.pollingInterval: Invalid value: 0', 'greater than or equal to 1'],
    },
    {
      what: 'a negative interval',
      of: { pollingInterval: -5 },
      words: ['spec.pollingInterval: Invalid value: -5', 'greater than or equal to 1'],
    },
    {
      what: 'an interval above a day',
      of: { pollingInterval: 86_401 },
      words: ['spec.pollingInterval', 'less than or equal to 86400'],
    },
    {
      what: 'an interval in words',
      of: { pollingInterval: '30s' },
      words: ['spec.pollingInterval', 'must be of type integer'],
    },
    { what: 'an unknown field', of: { pollInterval: 30 }, words: ['unknown field "spec.pollInterval"'] },
    { what: 'no selector', of: { selector: undefined }, words: ['spec.selector: Required value'] },
    {
      what: 'an empty selector',
      of: { selector: {} },
      words: ['spec.selector: ', 'is empty and would match every pod', 'add matchLabels'],
    },
    { what: 'empty matchLabels', of: { selector: { matchLabels: {} } }, words: ['is empty and would match every pod'] },
    {
      what: 'In without values',
      of: { selector: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
      words: ['operator In needs values, e.g. values: [a, b]'],
    },
    {
      what: 'a subscription of nothing',
      of: { stateSubscription: {} },
      words: ['stateSubscription.query: Required value'],
    },
    {
      what: 'a subscription that is too long',
      of: { stateSubscription: { query: 'x'.repeat(32_769) } },
      words: ['spec.stateSubscription.query: Too long', '32768'],
    },
    {
      what: 'another protocol',
      of: { stateSubscription: { query: 'subscription { a }', protocol: 'graphql-ws' } },
      words: ['spec.stateSubscription.protocol', '"graphql-transport-ws", "graphql-sse"'],
    },
    {
      what: 'a file to subscribe to',
      of: { stateSubscription: { query: 'subscription { a }', endpoint: 'file:///etc/passwd' } },
      words: ['spec.stateSubscription.endpoint: ', "'file:///etc/passwd' is not an endpoint that can be asked"],
    },
    {
      what: 'a password in an endpoint to subscribe to',
      of: { stateSubscription: { query: 'subscription { a }', endpoint: 'wss://u:secret@bus/' } },
      words: ['spec.stateSubscription.endpoint: ', 'must not carry a user name or a password'],
    },
    {
      what: 'one word to subscribe to',
      of: { stateSubscription: { query: 'subscription { a }', endpoint: 'stream' } },
      words: ["'stream' names a host; for a path on each pod write '/stream'"],
    },
    { what: 'no query', of: { stateQuery: undefined }, words: ['spec.stateQuery: Required value'] },
    {
      what: 'a file as endpoint',
      of: { graphqlEndpoint: 'file:///etc/passwd' },
      words: [
        'spec.graphqlEndpoint: ',
        "'file:///etc/passwd' is not an endpoint that can be asked",
        'use a path (/graphql)',
      ],
    },
    {
      what: 'a password in the endpoint',
      of: { graphqlEndpoint: 'http://u:p@app/graphql' },
      words: ['spec.graphqlEndpoint: ', 'must not carry a user name or a password'],
    },
    {
      what: 'one word as endpoint',
      of: { graphqlEndpoint: 'graphql' },
      words: [
        'spec.graphqlEndpoint: ',
        "'graphql' names a host; for a path on each pod write '/graphql', for a host 'http://graphql'",
      ],
    },
    {
      what: 'a port beside a host',
      of: { graphqlEndpoint: 'app.shop/graphql', port: 8080 },
      words: ['spec.port: Forbidden: ', 'put the port into the URL of graphqlEndpoint, e.g. app.ns.svc:8080/graphql'],
    },
    {
      what: 'a scheme beside a URL that has one',
      of: { graphqlEndpoint: 'http://app.shop/graphql', scheme: 'https' },
      words: ['spec.scheme: Forbidden: ', 'put it into that URL, e.g. https://app.ns.svc/graphql'],
    },
    {
      what: 'a port of 0',
      of: { port: 0 },
      words: ['spec.port: ', "'0' is not a port: use a number from 1 to 65535 or the name"],
    },
    {
      what: 'a suspendUntil that is no time',
      of: { suspendUntil: 'tomorrow' },
      words: ['spec.suspendUntil: Invalid value: "tomorrow"', 'date-time'],
    },
    {
      what: 'a path that is none',
      of: { ignoreFields: ['a b'] },
      words: ['spec.ignoreFields[0]: ', "'a b' is not a path: write field names with dots"],
    },
    {
      what: 'an element of a list as a metric',
      of: { metrics: ['application.health', 'nodes[0].status'] },
      words: ['spec.metrics[1]: ', "'nodes[0].status' is not the path of a single value: write field names with dots"],
    },
    {
      what: '17 metrics',
      of: { metrics: Array.from({ length: 17 }, (_, i) => `f${i}`) },
      words: ['spec.metrics: Too many: 17: must have at most 16 items'],
    },
    {
      what: 'one metric twice',
      of: { metrics: ['application.health', 'application.health'] },
      words: ['spec.metrics[1]: Duplicate value: "application.health"'],
    },
    {
      what: '33 rules',
      of: { actions: Array.from({ length: 33 }, () => rule()) },
      words: ['spec.actions: Too many: 33: must have at most 32 items'],
    },
    { what: '1 MB of query', of: { stateQuery: 'x'.repeat(1_000_000) }, words: ['spec.stateQuery: Too long', '32768'] },
    {
      what: 'two rules of one name',
      of: { actions: [rule({ name: 'a' }), rule({ name: 'a' })] },
      words: ['spec.actions: ', 'two rules have the same name: give each rule its own name'],
    },
    {
      what: 'a rule name with spaces',
      of: { actions: [rule({ name: 'a b' })] },
      words: [at('name'), "'a b' is not a rule name: use letters"],
    },
    {
      what: 'an unknown condition',
      of: withTrigger({ field: 'a', condition: 'equal' }),
      words: [at('trigger.condition'), 'Unsupported value: "equal"', '"equals"'],
    },
    {
      what: 'a trigger without a field',
      of: withTrigger({ condition: 'equals', value: 1 }),
      words: [at('trigger'), 'trigger.field is required for condition equals'],
    },
    {
      what: 'a condition without its value',
      of: withTrigger({ field: 'a', condition: 'equals' }),
      words: [at('trigger.value'), 'Required value'],
    },
    {
      what: 'a patch without a patch',
      of: withAction('patch_resource', { apiVersion: 'v1', kind: 'ConfigMap', name: 'x' }),
      words: [at('parameters.patch'), 'Required value'],
    },
    {
      what: 'as: number where no numbers are compared',
      of: withTrigger({ field: 'a', condition: 'matches', value: 'x', as: 'number' }),
      words: [at('trigger.as'), 'has no meaning for condition matches', 'remove it'],
    },
    {
      what: 'as: text',
      of: withTrigger({ field: 'a', condition: 'equals', value: 'x', as: 'text' }),
      words: [at('trigger.as'), 'Unsupported value: "text"', '"number"'],
    },
    {
      what: 'noPods on some of the pods',
      of: withTrigger({ condition: 'noPods', pods: 'any' }),
      words: [at('trigger.pods'), 'has no meaning for condition noPods', 'remove it'],
    },
    {
      what: 'noPods beside a URL',
      of: { graphqlEndpoint: 'app.shop/graphql', ...withTrigger({ condition: 'noPods' }) },
      words: ['spec.actions: Forbidden: ', 'noPods is about the pods of an app that are asked one by one'],
    },
    {
      what: 'unreachable with a field',
      of: withTrigger({ field: 'a', condition: 'unreachable' }),
      words: [at('trigger.field'), 'has no meaning for condition unreachable', 'remove it'],
    },
    {
      what: 'for with an edge',
      of: withTrigger({ field: 'a', condition: 'changed', for: '1m' }),
      words: [at('trigger.for'), 'has no meaning for condition changed', 'remove it'],
    },
    {
      what: 'half of the pods in words',
      of: withTrigger({ field: 'a', condition: 'exists', pods: 'half' }),
      words: [at('trigger.pods'), "'half' is not a number of pods: use each, any, all"],
    },
    {
      what: 'no pods',
      of: withTrigger({ field: 'a', condition: 'exists', pods: 0 }),
      words: [at('trigger.pods'), "'0' is not a number of pods"],
    },
    {
      what: 'a duration in words',
      of: { actions: [rule({ cooldown: '10 minutes' })] },
      words: [at('cooldown'), "'10 minutes' is not a duration", 'e.g. 30s, 10m or 1h30m'],
    },
    {
      what: 'an unknown action',
      of: withAction('restart'),
      words: [at('action'), 'Unsupported value: "restart"', '"restart_pod"'],
    },
    {
      what: 'negative replicas',
      of: withAction('scale_deployment', { replicas: -1 }),
      words: [at('parameters.replicas'), 'Invalid value: -1', 'greater than or equal to 0'],
    },
    {
      what: 'scaling to nowhere',
      of: withAction('scale_deployment'),
      words: [at('parameters.replicas'), 'Required value: scale_deployment needs parameters.replicas'],
    },
    {
      what: 'scaling a DaemonSet',
      of: withAction('scale_deployment', { replicas: 1, kind: 'DaemonSet' }),
      words: [at('parameters.kind'), "'DaemonSet' cannot be scaled: use Deployment or StatefulSet"],
    },
    {
      what: 'a webhook without a URL',
      of: withAction('webhook', { timeout: 3 }),
      words: [at('parameters.url'), 'webhook needs parameters.url'],
    },
    {
      what: 'a command without a command',
      of: withAction('exec_command', { container: 'app' }),
      words: [at('parameters.command'), 'exec_command needs parameters.command'],
    },
    {
      what: 'a patch of nothing',
      of: withAction('patch_resource', { patch: {} }),
      words: ['needs parameters.apiVersion', 'needs parameters.kind', 'needs parameters.name'],
    },
    {
      what: 'a parameter of another action',
      of: withAction('restart_pod', { replicas: 1 }),
      words: [
        at('parameters'),
        'restart_pod takes only the parameters allowUnmanaged, evict, gracePeriod, pods, startupGrace: remove replicas',
      ],
    },
    ...[undefined, { evict: true }, { pods: 'triggering' }].map((parameters) => ({
      what: `restarting the pods that an app behind a URL does not tell of (${JSON.stringify(parameters)})`,
      of: { graphqlEndpoint: 'app.shop/graphql', ...withAction('restart_pod', parameters) },
      words: [
        'spec.actions: Required value: parameters.pods of restart_pod must be all where graphqlEndpoint is a URL',
        'write parameters: {pods: all}',
      ],
    })),
    ...[undefined, 'each'].map((pods) => ({
      what: `restarting all pods for each pod that is sick (pods: ${pods})`,
      of: {
        actions: [
          rule({
            trigger: { field: 'a', condition: 'exists', pods },
            action: 'restart_pod',
            parameters: { pods: 'all' },
          }),
        ],
      },
      words: [
        'spec.actions: Forbidden: parameters.pods of restart_pod must not be all where the rule fires for each pod',
        'add a quorum such as pods: any to the trigger',
      ],
    })),
    {
      what: 'a start-up time in words',
      of: withAction('restart_pod', { startupGrace: 'five minutes' }),
      words: [at('parameters.startupGrace'), "'five minutes' is not a duration"],
    },
    {
      what: 'an unknown parameter',
      of: withAction('restart_pod', { grace: 1 }),
      words: ['unknown field "spec.actions[0].parameters.grace"'],
    },
    {
      what: 'a webhook to FTP',
      of: withUrl('ftp://x'),
      words: [at('parameters.url'), "'ftp://x' is not a URL that can be called: use http:// or https://"],
    },
    {
      what: 'a password in a webhook',
      of: withUrl('https://u:p@x/'),
      words: [at('parameters.url'), 'must not carry a user name or a password'],
    },
    {
      what: 'a header with spaces',
      of: withAction('webhook', { url: 'https://x/', headers: { 'a b': 'c' } }),
      words: [at('parameters.headers'), 'a header name has letters, digits and hyphens only'],
    },
    {
      what: 'a relative working directory',
      of: withAction('exec_command', { command: ['x'], workingDir: 'app' }),
      words: [at('parameters.workingDir'), 'must be an absolute path, e.g. /app'],
    },
    {
      what: 'an Event reason of two words',
      of: { events: [{ field: 'a', type: 'Normal', reason: 'Not Well', message: 'x' }] },
      words: ['spec.events[0].reason: ', "'Not Well' is not a reason: write one word in PascalCase"],
    },
  ])('$what', async ({ of, words }) => {
    const { code, stderr } = await create(spec(of));
    expect(code).toBe(1);
    for (const word of words) expect(stderr).toContain(word);
  });

  it('a password without repeating it', async () => {
    const { stderr } = await create(spec({ graphqlEndpoint: 'http://canary:canary@app/graphql' }));
    expect(stderr).not.toContain('canary');
  });
});

describe('kubectl', () => {
  it('explains every field of a rule', async () => {
    const { stdout } = await kubectl(['explain', 'targetapp.spec.actions']);
    const text = stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain('restart_pod deletes or evicts pods so that their owner makes new ones');
    expect(text).toContain('Fire again this long after the last firing while the condition still holds, e.g. 30m.');
    expect(text).not.toContain('<no description>');
  });

  it('explains how fields become metrics', async () => {
    const { stdout } = await kubectl(['explain', 'targetapp.spec.metrics']);
    const text = stdout.replaceAll(/\s+/g, ' ');
    for (const words of [
      'at most 16',
      'operator_kco_tapp_field_value',
      'operator_kco_tapp_field_state',
      'Default: none.',
    ])
      expect(text).toContain(words);
  });

  it('explains whose parameter is whose', async () => {
    const { stdout } = await kubectl(['explain', 'targetapp.spec.actions.parameters.replicas']);
    expect(stdout).toContain('scale_deployment: How many replicas there shall be');
  });

  const status: TargetAppStatus = {
    observedGeneration: 1,
    phase: 'Monitoring',
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'Monitoring',
        message: '2 of 2 pods answer',
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
    pods: { matched: 2, observed: 2, unreachable: 0 },
    state: { 'my-app-1': { 'application.health': 'healthy', 'application.lastError': null } },
    lastPoll: '2026-01-01T00:00:00Z',
    watchedBy: 'kco-0',
    lastChange: '2026-01-01T00:00:00Z',
    rules: [
      { name: 'restart_pod-0', episodes: [{ subject: 'app', since: 1_767_225_600_123, firedAt: 1_767_225_600_124 }] },
    ],
    workflow: { id: 'targetapp/default/my-app/u', runId: 'r' },
  };

  it('shows the state of a TargetApp in columns, and waits for its condition', async () => {
    const object = JSON.stringify({ status });
    const patched = ['patch', 'ta', 'my-app', '--subresource=status', '--type=merge', '-p', object];
    expect(await kubectl(patched)).toMatchObject({ code: 0 });
    const { stdout } = await kubectl(['get', 'tapp', 'my-app', '-o', 'wide']);
    const [header = '', row = ''] = stdout.split('\n');
    expect(header.split(/ {2,}/)).toEqual([
      'NAME',
      'READY',
      'PHASE',
      'PODS',
      'LAST CHANGE',
      'AGE',
      'ENDPOINT',
      'INTERVAL',
      'LAST POLL',
      'WATCHED BY',
      'MESSAGE',
    ]);
    expect(row).toMatch(/^my-app +True +Monitoring +2 +\S+ +\S+ +\/graphql +30 +\S+ +kco-0 +2 of 2 pods answer$/);
    expect(await kubectl(['wait', '--for=condition=Ready', 'ta/my-app', '--timeout=5s'])).toMatchObject({ code: 0 });
  });

  it('gives back the mirror of what fired with every millisecond', async () => {
    const { stdout } = await kubectl(['get', 'ta', 'my-app', '-o', 'jsonpath={.status.rules}']);
    expect(JSON.parse(stdout)).toEqual(status.rules);
  });

  it('lists TargetApps in the category kco', async () => {
    const { stdout } = await kubectl(['get', 'kco', '-o', 'name']);
    expect(stdout).toContain('targetapp.operator.kco.local/my-app');
  });
});
