import { hasStatus } from './errors.ts';
import { groupVersionPath } from './paths.ts';
import type { Requests } from './requests.ts';
import type { CallOptions, Kube, ResourceRef } from './types.ts';

interface ApiResource {
  name: string;
  kind: string;
  namespaced: boolean;
}

const rememberMs = 600_000;

/** What the API server serves, and how it is. */
export const createDiscovery = (requests: Requests): Pick<Kube, 'discover' | 'isServed' | 'ready' | 'version'> => {
  const known = new Map<string, { ref: ResourceRef; until: number }>();

  const resourcesOf = async (apiVersion: string, { signal }: CallOptions = {}): Promise<ApiResource[]> => {
    try {
      const path = groupVersionPath(apiVersion);
      return (await requests.send<{ resources?: ApiResource[] }>({ method: 'GET', path, signal })).resources ?? [];
    } catch (error) {
      if (hasStatus(error, 404)) return [];
      throw error;
    }
  };

  return {
    discover: async (apiVersion, kind, options) => {
      const key = `${apiVersion} ${kind}`;
      const remembered = known.get(key);
      if (remembered && remembered.until > performance.now()) return remembered.ref;
      // A name with a slash is a subresource, and may carry the kind of something else (`Scale`).
      const found = (await resourcesOf(apiVersion, options)).find(
        (each) => each.kind === kind && !each.name.includes('/'),
      );
      if (!found) return undefined;
      const ref = { apiVersion, kind, plural: found.name, namespaced: found.namespaced };
      known.set(key, { ref, until: performance.now() + rememberMs });
      return ref;
    },

    isServed: async (ref, options) =>
      (await resourcesOf(ref.apiVersion, options)).some(({ name }) => name === ref.plural),

    version: async ({ signal } = {}) =>
      (await requests.send<{ gitVersion: string }>({ method: 'GET', path: '/version', signal })).gitVersion,

    ready: async ({ signal } = {}) => {
      await requests.text({ method: 'GET', path: '/readyz', signal });
    },
  };
};
