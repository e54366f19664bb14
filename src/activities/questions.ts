import type { TargetAppSpec } from '../api/target-app.ts';
import type { GraphqlRequest } from '../clients/graphql.ts';
import type { JsonObject } from '../domain/json.ts';
import { wholeApp } from '../domain/observation.ts';
import type { Plan } from '../domain/plan.ts';
import type { WatchedApp } from './apps.ts';
import type { PodView } from './pod-view.ts';

/** One query that a poll sends. */
export interface Question {
  /** Pod uid, or `wholeApp`. */
  subject: string;
  name: string;
  /** Address of the pod that is asked; absent for a URL. */
  ip?: string;
  request: Pick<GraphqlRequest, 'url' | 'document' | 'variables'>;
}

const defaultPorts = { http: 80, https: 443 };

/** The port of a pod: as the spec says by number or name, else the first that the pod declares, else the scheme's. */
function portOf(pod: PodView, spec: TargetAppSpec): number {
  if (typeof spec.port === 'number') return spec.port;
  const declared = spec.port === undefined ? pod.ports[0] : pod.ports.find(({ name }) => name === spec.port);
  return declared?.port ?? defaultPorts[spec.scheme ?? 'http'];
}

const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip);

/** What is asked: each running pod where the endpoint is a path, the app as a whole where it is a URL. */
export function questionsOf(
  app: WatchedApp,
  spec: TargetAppSpec,
  plan: Plan,
  running: (PodView & { ip: string })[],
): Question[] {
  const asked = {
    document: spec.stateQuery,
    ...(spec.variables !== undefined && { variables: spec.variables as JsonObject }),
  };
  const scheme = spec.scheme ?? 'http';
  if (!plan.perPod) {
    const url = spec.graphqlEndpoint.includes('://') ? spec.graphqlEndpoint : `${scheme}://${spec.graphqlEndpoint}`;
    return [{ subject: wholeApp, name: app.metadata.name, request: { url, ...asked } }];
  }
  return running.map((pod) => ({
    subject: pod.uid,
    name: pod.name,
    ip: pod.ip,
    request: { url: `${scheme}://${hostOf(pod.ip)}:${portOf(pod, spec)}${spec.graphqlEndpoint}`, ...asked },
  }));
}
