import { hasStatus, isGone } from './kube-error.ts';
import type { Kube, KubeObject } from './kube-types.ts';

const attempts = 5;
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
 * the one that the last apply left behind, which needs no request, or else that of a GET.
 */
export const createApplyStatus = ({ get, patch }: Pick<Kube, 'get' | 'patch'>): Kube['applyStatus'] => {
  const versions = new Map<string, string>();
  const remember = ({ metadata: { uid, resourceVersion } }: KubeObject): void => {
    versions.delete(uid);
    versions.set(uid, resourceVersion);
    const [oldest] = versions.keys();
    if (versions.size > remembered && oldest !== undefined) versions.delete(oldest);
  };

  return async (ref, body, { signal } = {}) => {
    const metadata = body['metadata'] as unknown as Metadata;
    const versionOf = async (): Promise<string | undefined> => {
      const found = await get(ref, metadata, { signal });
      return found?.metadata.uid === metadata.uid ? found.metadata.resourceVersion : undefined;
    };
    const apply = async (resourceVersion: string): Promise<void> => {
      const versioned = { ...body, metadata: { ...metadata, resourceVersion } };
      remember(
        await patch(ref, metadata, { type: 'apply', body: versioned, force: true }, { subresource: 'status', signal }),
      );
    };

    let version = versions.get(metadata.uid) ?? (await versionOf());
    for (let attempt = 1; version !== undefined; attempt += 1) {
      try {
        await apply(version);
        return 'applied';
      } catch (error) {
        versions.delete(metadata.uid);
        if (isGone(error)) return 'gone';
        if (!hasStatus(error, 409) || attempt === attempts) throw error;
        version = await versionOf();
      }
    }
    return 'gone';
  };
};
