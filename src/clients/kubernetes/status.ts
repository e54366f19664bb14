import { rememberLatest } from '../../domain/remember-latest.ts';
import { hasStatus, isGone } from './errors.ts';
import type { Kube, KubeObject } from './types.ts';

const remembered = 10_000;

interface Metadata {
  namespace?: string;
  name: string;
  uid: string;
}

/** What the last apply left behind, as far as the next one has to know it. */
type Stored = KubeObject & { status?: { revision?: number } };

/** What the last applies left behind, by uid. */
class LastStored {
  readonly #byUid = new Map<string, Stored>();

  get(uid: string): Stored | undefined {
    return this.#byUid.get(uid);
  }

  keep({ metadata: { uid, name, resourceVersion }, status: { revision } = {} }: Stored): void {
    const kept = { metadata: { uid, name, resourceVersion }, ...(revision !== undefined && { status: { revision } }) };
    rememberLatest(this.#byUid, uid, kept, remembered);
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }
}

/**
 * Server-side apply of a status with the uid as a precondition. The API server ignores a uid in the status of a custom
 * resource (its status strategy puts the stored metadata back before anything is compared), but it honours a
 * resourceVersion, and no two objects ever share one. So each apply carries the version of an object whose uid was seen:
 * the one that the last apply left behind, which needs no request, or else that of a GET. Either way it is asked whether what
 * is stored is newer: an attempt that is late must not write over what a later one has written.
 */
export const createApplyStatus = ({ get, patch }: Pick<Kube, 'get' | 'patch'>): Kube['applyStatus'] => {
  const stored = new LastStored();
  return async (ref, body, { signal, isNewer } = {}) => {
    const metadata = body['metadata'] as unknown as Metadata;
    const versionIn = (found: KubeObject | undefined): { resourceVersion: string } | 'gone' | 'newer' => {
      if (found?.metadata.uid !== metadata.uid) return 'gone';
      return isNewer?.(found) ? 'newer' : { resourceVersion: found.metadata.resourceVersion };
    };
    const readVersion = async () => versionIn(await get(ref, metadata, { signal }));
    const apply = async (resourceVersion: string): Promise<void> => {
      const versioned = { ...body, metadata: { ...metadata, resourceVersion } };
      stored.keep(
        await patch(ref, metadata, { type: 'apply', body: versioned, force: true }, { subresource: 'status', signal }),
      );
    };

    const known = stored.get(metadata.uid);
    let version = known === undefined ? await readVersion() : versionIn(known);
    for (let isAgain = false; typeof version === 'object'; isAgain = true) {
      try {
        await apply(version.resourceVersion);
        return 'applied';
      } catch (error) {
        stored.forget(metadata.uid);
        if (isGone(error)) return 'gone';
        // Read again once: whoever changes the object all the time is left to the next attempt.
        if (!hasStatus(error, 409) || isAgain) throw error;
        version = await readVersion();
      }
    }
    return version;
  };
};
