import type { z } from 'zod';
import { cel } from '../common/cel.ts';
import { numberOrMatching } from '../common/matching.ts';
import { address } from './address.ts';

/** What an endpoint looks like, with these schemes; regular expressions as in `address`. */
const endpoint = (schemes: string) =>
  address({
    userinfo: '^([a-zA-Z][-a-zA-Z0-9+.]*://)?[^/?#]*@',
    form: `^(/[^ ]*|(${schemes}://)?(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?)(:[0-9]{1,5})?([/?][^ ]*)?)$`,
    problem:
      'is not an endpoint that can be asked: use a path (/graphql), a host with a path (app.ns.svc.cluster.local/graphql) or an http:// or https:// URL',
  });
const oneWord = '^[A-Za-z0-9]([-A-Za-z0-9_]*[A-Za-z0-9])?$';
const slashOrHost = "for a path on each pod begin with '/', for a host with 'http://'";

/** An endpoint that is no single word: that could be a path or a host. */
const unambiguous = ({ text, rules }: ReturnType<typeof endpoint>) => ({
  text: text.refine((given) => !new RegExp(oneWord).test(given), {
    error: ({ input }) =>
      `names a host; for a path on each pod write '/${String(input)}', for a host 'http://${String(input)}'`,
  }),
  rules: [
    ...rules,
    {
      rule: `!self.matches(r'${oneWord}')`,
      message: `names a host: ${slashOrHost}`,
      messageExpression: `"'" + self + "' names a host; for a path on each pod write '/" + self + "', for a host 'http://" + self + "'"`,
    },
  ],
});

const stateEndpoint = unambiguous(endpoint('https?'));
const subscriptionEndpoint = unambiguous(endpoint('(https?|wss?)'));

/** Where the state is read: a path on every pod, or one URL for the app as a whole. */
export const Endpoint = stateEndpoint.text.default('/graphql').meta({
  description:
    'Where the state is read. A path such as /graphql (default) is asked on the IP of each matching pod. A URL, with or without scheme, such as app.ns.svc.cluster.local/graphql, is asked once for the app as a whole. One word alone could be either and is refused: write /graphql or http://graphql.',
  ...cel(...stateEndpoint.rules),
});
export type Endpoint = z.infer<typeof Endpoint>;

/** Where the subscription is, when that is somewhere else. */
export const SubscriptionEndpoint = subscriptionEndpoint.text.meta({
  description:
    'Where the subscription is, when that is not graphqlEndpoint: a path on the same pods or the same host, or a URL (http, https, ws or wss). Default: graphqlEndpoint.',
  ...cel(...subscriptionEndpoint.rules),
});

/** A container port, by number or name. */
export const Port = numberOrMatching(65_535, 15, {
  pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
  problem: 'is not a port: use a number from 1 to 65535 or the name of a container port, e.g. 8080 or http',
  description:
    "The port where a path is reached on a pod: a number or the name of a container port. Default: the pod's only or first container port; the scheme's (80 or 443) where the pod declares none. Refused beside a URL, which has its own.",
});
export type Port = z.infer<typeof Port>;

/** Why a port does not stand beside a URL, and where it goes. */
export const portBesideUrl =
  'is for a path on each pod and would not be used: put the port into the URL of graphqlEndpoint, e.g. app.ns.svc:8080/graphql';
/** Why a condition about pods does not stand beside a URL. */
export const noPodsBesideUrl =
  'is about the pods of an app that are asked one by one, and graphqlEndpoint is a URL, which is asked once for all: use unreachable';
/** The same of a scheme. */
export const schemeBesideUrl =
  'would not be used, because graphqlEndpoint has a scheme of its own: put it into that URL, e.g. https://app.ns.svc/graphql';
