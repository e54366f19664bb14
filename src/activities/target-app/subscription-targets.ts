import type { SubscriptionRequest } from '../../clients/graphql/subscription/subscriber.ts';
import type { JsonObject } from '../../domain/json.ts';
import { wholeApp } from '../../domain/target-app/observation.ts';
import type { QueryTarget } from './query-targets.ts';
import type { EffectiveSpec } from './reader.ts';

/** One subscription of a TargetApp. */
export interface SubscriptionTarget {
  /** Tells it from every other one: who offers it, where, and what it is. */
  key: string;
  /** Pod uid, or `wholeApp`. */
  subject: string;
  /** Name of the pod; absent for the app as a whole. */
  pod?: string;
  request: Omit<SubscriptionRequest, 'signal'>;
}

/** A URL as it is connected to; both protocols begin with a request over HTTP. */
const httpUrl = (endpoint: string, scheme: string): string =>
  endpoint.includes('://') ? endpoint.replace(/^ws/, 'http') : `${scheme}://${endpoint}`;

/** Whose subscriptions are followed: of everybody who is asked, or of one URL; none where the spec has none. */
export function subscriptionTargetsOf({ plan, spec }: EffectiveSpec, questions: QueryTarget[]): SubscriptionTarget[] {
  const { stateSubscription: wanted, scheme = 'http' } = spec ?? {};
  if (wanted === undefined || plan.subscription === undefined) return [];
  const target = (subject: string, pod: string | undefined, url: string): SubscriptionTarget => ({
    key: `${plan.subscription} ${subject} ${url}`,
    subject,
    ...(pod !== undefined && { pod }),
    request: {
      protocol: wanted.protocol ?? 'graphql-transport-ws',
      url,
      document: wanted.query,
      ...(wanted.variables !== undefined && { variables: wanted.variables as JsonObject }),
      deadlineMs: plan.timeoutMs,
    },
  });
  const { endpoint } = wanted;
  if (endpoint !== undefined && !endpoint.startsWith('/'))
    return [target(wholeApp, undefined, httpUrl(endpoint, scheme))];
  return questions.flatMap((asked) => {
    if ('failure' in asked) return [];
    const url = endpoint === undefined ? asked.request.url : new URL(endpoint, asked.request.url).href;
    return [target(asked.subject, asked.subject === wholeApp ? undefined : asked.name, url)];
  });
}
