import type { TargetAppSpec } from '../../api/target-app/schema.ts';
import type { GraphqlRequest } from '../../clients/graphql/client.ts';
import { sanitize } from '../../clients/http/sanitize.ts';
import { type Failure, failureOf } from '../../domain/failure.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { CompiledSpec } from '../../domain/target-app/compiled-spec.ts';
import { wholeApp } from '../../domain/target-app/observation.ts';
import type { PodView } from './pod-view.ts';
import type { WatchedApp } from './watched-app.ts';

/** Who is asked by a poll, and what is sent; or why nothing can be. */
export type QueryTarget = Asked & ({ request: Sent } | { failure: Failure });

interface Asked {
  /** Pod uid, or `wholeApp`. */
  subject: string;
  name: string;
  /** Address of the pod that is asked; absent for a URL. */
  ip?: string;
  /** Of the pod, for its first reading. */
  startedAt?: number;
  startupMs?: number;
}

type Sent = Pick<GraphqlRequest, 'url' | 'document' | 'variables'>;

const defaultPorts = { http: 80, https: 443 };

const listOf = (words: string[]): string =>
  words.length < 2 ? (words[0] ?? 'none') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;

/** A name that a pod does not declare is not another port: whatever answered there would be taken for the app. */
function unnamed(name: string, { ports }: PodView): Failure {
  const declared = listOf(ports.map((port) => (port.name ? `${port.name} (${port.port})` : String(port.port))));
  const message = `no container port of the pod is named ${name}; it has ${declared}`;
  return failureOf('PortNotDeclared', sanitize(message));
}

/** The port of a pod: as the spec says by number or name, else the default one of the pod, else the scheme's. */
function portOf(pod: PodView, { port, scheme = 'http' }: TargetAppSpec): number | Failure {
  if (typeof port === 'number') return port;
  if (port === undefined) return pod.defaultPort ?? defaultPorts[scheme];
  return pod.ports.find(({ name }) => name === port)?.port ?? unnamed(port, pod);
}

const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);

/** What is asked: each running pod where the endpoint is a path, the app as a whole where it is a URL. */
export function queryTargetsOf(
  app: WatchedApp,
  spec: TargetAppSpec,
  plan: CompiledSpec,
  running: (PodView & { ip: string })[],
): QueryTarget[] {
  const asked = {
    document: spec.stateQuery,
    ...(spec.variables !== undefined && { variables: spec.variables as JsonObject }),
  };
  const scheme = spec.scheme ?? 'http';
  if (!plan.perPod) {
    const url = spec.graphqlEndpoint.includes('://') ? spec.graphqlEndpoint : `${scheme}://${spec.graphqlEndpoint}`;
    return [{ subject: wholeApp, name: app.metadata.name, request: { url, ...asked } }];
  }
  return running.map((pod) => {
    const { uid: subject, name, ip, startedAt = pod.createdAt, startupMs } = pod;
    const who = { subject, name, ip, startedAt, startupMs };
    const port = portOf(pod, spec);
    if (typeof port !== 'number') return { ...who, failure: port };
    return { ...who, request: { url: `${scheme}://${hostOf(pod.ip)}:${port}${spec.graphqlEndpoint}`, ...asked } };
  });
}
