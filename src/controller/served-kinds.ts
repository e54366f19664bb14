import type { Kube, ResourceRef } from '../clients/kubernetes/client.ts';
import type { CheckResult } from '../server/checks.ts';
import type { Log } from '../telemetry/logger.ts';

/** Which of the kinds the API server knows: their CustomResourceDefinitions come and go, each by itself. */
export interface ServedKinds {
  /** Asks for each. Rejects when the API server does not say. */
  look(signal: AbortSignal): Promise<void>;
  /** Of one kind, as of the last look. */
  check(ref: ResourceRef): CheckResult;
}

const absent = ({ kind, apiVersion }: ResourceRef): string =>
  `the API server does not know ${kind} (${apiVersion}): apply the CustomResourceDefinition (kubectl apply -f crds/)`;

export function createServedKinds(kube: Pick<Kube, 'isServed'>, refs: ResourceRef[], log: Log): ServedKinds {
  const missing = new Set<ResourceRef>();
  return {
    look: async (signal) => {
      for (const ref of refs) {
        const isServed = await kube.isServed(ref, { signal });
        if (isServed && missing.delete(ref)) log.info('kind served again', { resource: ref.plural });
        if (isServed || missing.has(ref)) continue;
        missing.add(ref);
        log.warning('kind not served', { resource: ref.plural, error: absent(ref) });
      }
    },
    check: (ref) => (missing.has(ref) ? { ok: false, message: absent(ref) } : { ok: true }),
  };
}
