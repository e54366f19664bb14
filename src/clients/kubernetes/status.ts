import { hasStatus, isGone } from './errors.ts';
import type { Kube, KubeObject } from './types.ts';

const remembered = 10_000;

interface Metadata {
  namespace?: string;
  name: string;
  uid: string;
}

/**
 * Server-side apply of a status with the uid as a precondition. The API server ignores a uid in the status of a custom
 * resource (its status strategy puts the stored metadata back before anything is compared), but it honours a
 * resourceVersion, and no two objects ever share one. So each apply carries the version of an object whose uid was seen:
 * the one that the last apply left behind, which needs no request, or else that of a GET. Whoever has to read is told
 * what is stored: an attempt that is late must not write over what a later one has written.
 */
export const createApplyStatus = ({ get, patch }: Pick<Kube, 'get' | 'patch'>): Kube['applyStatus'] => {
  const versions = new Map<string, string>();
  const remember = ({ metadata: { uid, resourceVersion } }: KubeObject): void => {
    versions.delete(uid);
    versions.set(uid, resourceVersion);
    const [oldest] = versions.keys();
    if (versions.size > remembered && oldest !== undefined) versions.delete(oldest);
  };

  return async (ref, body, { signal, isNewer } = {}) => {
    const metadata = body['metadata'] as unknown as Metadata;
    const versionOf = async (): Promise<{ resourceVersion: string } | 'gone' | 'newer'> => {
      const found = await get(ref, metadata, { signal });
      if (found?.metadata.uid !== metadata.uid) return 'gone';
      return isNewer?.(found) ? 'newer' : { resourceVersion: found.metadata.resourceVersion };
    };
    const apply = async (resourceVersion: string): Promise<void> => {
      const versioned = { ...body, metadata: { ...metadata, resourceVersion } };
      remember(
        await patch(ref, metadata, { type: 'apply', body: versioned, force: true }, { subresource: 'status', signal }),
      );
    };

    const known = versions.get(metadata.uid);
    let version = known === undefined ? await versionOf() : { resourceVersion: known };
    for (let isAgain = false; typeof version === 'object'; isAgain = true) {
      try {
        await apply(version.resourceVersion);
        return 'applied';
      } catch (error) {
        versions.delete(metadata.uid);
        if (isGone(error)) return 'gone';
        // Read again once: whoever changes the object all the time is left to the next attempt.
        if (!hasStatus(error, 409) || isAgain) throw error;
        version = await versionOf();
      }
    }
    return version;
  };
};
