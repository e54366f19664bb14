import type { Kube, ResourceRef } from '../clients/kubernetes/client.ts';
import type { CheckResult } from '../server/checks.ts';

const namespaces: ResourceRef = { apiVersion: 'v1', kind: 'Namespace', plural: 'namespaces', namespaced: false };

/** Those of the watched namespaces that are not there: an API server lists nothing in them, and finds nothing wrong. */
export interface AbsentNamespaces {
  /** Asks for each; what it may not ask, it takes for present. */
  look(signal: AbortSignal): Promise<void>;
  check(): CheckResult;
}

export function createAbsentNamespaces(kube: Pick<Kube, 'get'>, watched: readonly string[]): AbsentNamespaces {
  let absent: string[] = [];
  const isAbsent = (name: string, signal: AbortSignal): Promise<boolean> =>
    kube.get(namespaces, { name }, { signal }).then(
      (found) => found === undefined,
      () => false,
    );
  return {
    look: async (signal) => {
      const found: string[] = [];
      for (const name of watched) if (await isAbsent(name, signal)) found.push(name);
      absent = found;
    },
    check: () => {
      if (absent.length === 0) return { ok: true };
      const message = `there is no namespace ${absent.join(', ')}: create it, or correct KCO_WATCH_NAMESPACES`;
      return absent.length < watched.length ? { ok: true, degraded: true, message } : { ok: false, message };
    },
  };
}
