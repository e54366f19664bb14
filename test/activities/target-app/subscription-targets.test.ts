import { describe, expect, it } from '@jest/globals';
import type { QueryTarget } from '../../../src/activities/target-app/query-targets.ts';
import { subscriptionTargetsOf } from '../../../src/activities/target-app/subscription-targets.ts';
import { compileSpec } from '../../../src/api/target-app/compile-spec.ts';
import { failureOf } from '../../../src/domain/failure.ts';
import { wholeApp } from '../../../src/domain/target-app/observation.ts';
import { defaults, spec } from '../../support/target-app-manifest.ts';

const query = 'subscription { applicationChanged }';
const metadata = { name: 'my-app', namespace: 'default', uid: 'u', generation: 1 };
const document = '{ a }';

const targetsOf = (of: Record<string, unknown>, questions: QueryTarget[], turnMs = 1) => {
  const compiled = compileSpec({ metadata, spec: spec(of) }, { ...defaults, turnMs });
  return subscriptionTargetsOf({ generation: 1, ...compiled }, questions);
};

const pod = (name: string, url: string): QueryTarget => ({ subject: `uid-${name}`, name, request: { url, document } });
const pods = [pod('a', 'http://10.0.0.1:8080/graphql'), pod('b', 'http://[fd00::2]:8080/graphql')];
const whole: QueryTarget[] = [
  { subject: wholeApp, name: 'my-app', request: { url: 'https://app.shop/api/graphql?x=1', document } },
];

describe('the subscriptions of a TargetApp', () => {
  it.each([
    {
      what: 'each pod where it is asked',
      of: {},
      questions: pods,
      urls: pods.map((each) => 'request' in each && each.request.url),
    },
    {
      what: 'each pod at a path of its own',
      of: { endpoint: '/graphql/stream' },
      questions: pods,
      urls: ['http://10.0.0.1:8080/graphql/stream', 'http://[fd00::2]:8080/graphql/stream'],
    },
    {
      what: 'one URL of all pods',
      of: { endpoint: 'wss://bus.shop/changes' },
      questions: pods,
      urls: ['https://bus.shop/changes'],
    },
    {
      what: 'one host without scheme',
      of: { endpoint: 'bus.shop:81/x' },
      questions: pods,
      urls: ['http://bus.shop:81/x'],
    },
    { what: 'the app where it is asked', of: {}, questions: whole, urls: ['https://app.shop/api/graphql?x=1'] },
    {
      what: 'the host of the app at another path',
      of: { endpoint: '/stream' },
      questions: whole,
      urls: ['https://app.shop/stream'],
    },
  ])('are of $what', ({ of, questions, urls }) => {
    const endpoint = questions === whole ? { graphqlEndpoint: 'https://app.shop/api/graphql?x=1' } : {};
    const targets = targetsOf({ ...endpoint, stateSubscription: { query, ...of } }, questions);
    expect(targets.map(({ request }) => request.url)).toEqual(urls);
  });

  it('are of nobody without stateSubscription, and not of a pod that cannot be asked', () => {
    expect(targetsOf({}, pods)).toEqual([]);
    const failure = failureOf('PortNotDeclared', 'no such port');
    expect(targetsOf({ stateSubscription: { query } }, [{ subject: 'uid-c', name: 'c', failure }])).toEqual([]);
  });

  it('are of nobody where every poll is a turn of its own, which no message could wake', () => {
    expect(targetsOf({ stateSubscription: { query } }, pods, 0)).toEqual([]);
  });

  it('stay the same ones while what they are made of does', () => {
    const keysOf = (of: Record<string, unknown>) =>
      targetsOf({ stateSubscription: { query }, ...of }, pods).map(({ key }) => key);
    expect(keysOf({ pollingInterval: 7 })).toEqual(keysOf({}));
    for (const other of [
      { query: 'subscription { b }' },
      { query, variables: { a: 1 } },
      { query, protocol: 'graphql-sse' },
    ])
      expect(keysOf({ stateSubscription: other })).not.toEqual(keysOf({}));
  });
});
