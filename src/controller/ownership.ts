import type { Ownership } from '../activities/ownership.ts';

/** What this replica looks after at present. */
export interface OwnershipHere extends Ownership {
  /**
   * Says anew what it looks after, undefined: nothing; resolves when everybody who was told has let go of the rest.
   *
   * @param isHandedOver whether others let go of what is new here, and this one of what is theirs now; default false: somebody
   *   has been found silent
   */
  set(owns: ((uid: string) => boolean) | undefined, isHandedOver?: boolean): Promise<void>;
}

/** Nothing is looked after until it is said what. */
export function createOwnership(): OwnershipHere {
  const listeners: Parameters<Ownership['onChange']>[0][] = [];
  let present: ((uid: string) => boolean) | undefined;
  return {
    owns: (uid) => present?.(uid) ?? false,
    takesPart: () => present !== undefined,
    onChange: (listener) => void listeners.push(listener),
    set: async (owns, isHandedOver = false) => {
      present = owns;
      await Promise.all(listeners.map((listener) => listener(isHandedOver)));
    },
  };
}
