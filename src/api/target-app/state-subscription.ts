import { z } from 'zod';
import { JsonRecord } from '../common/json-value.ts';
import { SubscriptionEndpoint } from './endpoint.ts';

/** A subscription of the app whose messages say when to ask; what they say is not used. */
export const StateSubscription = z.strictObject({
  query: z
    .string()
    .min(1)
    .max(32_768)
    .describe(
      'A GraphQL document with exactly one operation, a subscription. Its messages say when the state is to be read; what they say is not used.',
    ),
  variables: JsonRecord.optional().describe('Variables of the subscription, by name without the $.'),
  protocol: z
    .enum(['graphql-transport-ws', 'graphql-sse'])
    .optional()
    .describe(
      'How the app offers subscriptions: graphql-transport-ws (default) over WebSocket, or graphql-sse as a stream of events, in its distinct connections mode.',
    ),
  endpoint: SubscriptionEndpoint.optional(),
});
export type StateSubscription = z.infer<typeof StateSubscription>;
