import { describe, expect, it } from '@jest/globals';
import { celField, celString } from '../../../src/api/common/cel.ts';
import { Duration, durationMs } from '../../../src/api/common/duration.ts';
import { RestartPodParameters, WebhookParameters } from '../../../src/api/target-app/action-parameters.ts';
import { actionNames } from '../../../src/api/target-app/actions.ts';
import { Rule } from '../../../src/api/target-app/rule.ts';
import { TargetAppSpec } from '../../../src/api/target-app/schema.ts';
import { Trigger } from '../../../src/api/target-app/trigger.ts';
import { conditions } from '../../../src/domain/target-app/trigger-conditions.ts';
import { rule, spec } from '../../support/target-app-manifest.ts';

describe('durations', () => {
  it.each([
    { text: '60s', ms: 60_000 },
    { text: '10m', ms: 600_000 },
    { text: '2h', ms: 7_200_000 },
    { text: '1h30m', ms: 5_400_000 },
    { text: '0s', ms: 0 },
  ])('$text is $ms ms', ({ text, ms }) => {
    expect(durationMs(Duration.parse(text))).toBe(ms);
  });

  it.each(['', '60', '10 m', '1d', '-5s', '1.5h', 's', '9999999s'])('"%s" is none', (text) => {
    expect(Duration.safeParse(text).success).toBe(false);
  });
});

describe('the spec', () => {
  it('fills in the endpoint and the parameters that have a default', () => {
    expect(TargetAppSpec.parse(spec({ actions: [rule()] }))).toMatchObject({
      graphqlEndpoint: '/graphql',
      actions: [{ parameters: { evict: false, pods: 'triggering' } }],
    });
  });

  it.each([
    '/graphql',
    '/',
    '/a?b=c',
    'app/graphql',
    'app.ns.svc.cluster.local/graphql',
    'tagpp-pod.svc.namespace.cluster.local/graphql',
    'app.ns',
    'app:8080',
    'host:8080/graphql',
    'http://app',
    'http://graphql',
    'https://[::1]:8443/graphql',
    '/path/with@sign',
  ])('takes the endpoint %s', (graphqlEndpoint) => {
    expect(TargetAppSpec.safeParse(spec({ graphqlEndpoint })).success).toBe(true);
  });

  it.each([
    '',
    'file:///etc/passwd',
    'ftp://x/',
    'http://',
    'http:///x',
    'u:p@app/graphql',
    'http://u@app/',
    'a b',
    'gopher:x',
    'graphql',
    'my-app_2',
  ])('refuses the endpoint "%s"', (graphqlEndpoint) => {
    expect(TargetAppSpec.safeParse(spec({ graphqlEndpoint })).success).toBe(false);
  });

  it('says in `kubectl explain` that a timeout above the interval is cut to it', () => {
    expect(TargetAppSpec.shape.timeout.meta()?.description).toContain('is cut to the polling interval');
  });

  it.each([1, 65_535, 'http', 'graphql-2'])('takes the port %s', (port) => {
    expect(TargetAppSpec.safeParse(spec({ port })).success).toBe(true);
  });

  it.each([0, 65_536, 'Http', '', 'a_b', 1.5])('refuses the port %j', (port) => {
    expect(TargetAppSpec.safeParse(spec({ port })).success).toBe(false);
  });

  it('knows every condition of the table', () => {
    for (const condition of Object.keys(conditions)) expect(Trigger.safeParse({ condition }).success).toBe(true);
  });

  it('knows every action of the table', () => {
    const words = Rule.options.map(({ shape }) => shape.action.value);
    expect(words).toEqual(actionNames);
  });
});

describe('parameters', () => {
  it('of restart_pod default to the triggering pods, deleted', () => {
    expect(RestartPodParameters.parse({})).toEqual({ allowUnmanaged: false, evict: false, pods: 'triggering' });
  });

  it('of webhook default to POST', () => {
    expect(WebhookParameters.parse({ url: 'https://x/' })).toEqual({ url: 'https://x/', method: 'POST' });
  });

  it.each(['http://127.0.0.1:9999/hook', 'https://hooks.example.com', 'https://[fd00::1]/x?y=z'])(
    'of webhook take %s',
    (url) => {
      expect(WebhookParameters.safeParse({ url }).success).toBe(true);
    },
  );

  it.each(['ftp://x', '/hook', 'hooks.example.com', 'https://u:p@x/', 'https://', 'https://x y', 'file:///x'])(
    'of webhook refuse %s',
    (url) => {
      expect(WebhookParameters.safeParse({ url }).success).toBe(false);
    },
  );

  it.each([{ 'a b': 'c' }, { 'a:b': 'c' }, { '': 'c' }])('of webhook refuse the headers %j', (headers) => {
    expect(WebhookParameters.safeParse({ url: 'https://x/', headers }).success).toBe(false);
  });
});

describe('CEL text', () => {
  it.each([
    { name: 'for', cel: '__for__' },
    { name: 'namespace', cel: '__namespace__' },
    { name: 'a-b.c/d', cel: 'a__dash__b__dot__c__slash__d' },
    { name: 'field', cel: 'field' },
  ])('spells $name as $cel', ({ name, cel }) => {
    expect(celField(name)).toBe(cel);
  });

  it('quotes quotes, backslashes and line ends', () => {
    expect(celString("it's \\ a\nline")).toBe("'it\\'s \\\\ a\\nline'");
  });
});
