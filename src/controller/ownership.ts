import type { Ownership } from '../activities/ownership.ts';

/** What this replica looks after at present. */
export interface OwnershipHere extends Ownership {
  /** Says anew what it looks after, undefined: nothing; resolves when everybody who was told has let go of the rest. */
  set(owns: ((uid: string) => boolean) | undefined): Promise<void>;
}

/** Nothing is looked after until it is said what. */
export function createOwnership(): OwnershipHere {
  const listeners: (() => Promise<void> | void)[] = [];
  let present: ((uid: string) => boolean) | undefined;
  return {
    owns: (uid) => present?.(uid) ?? false,
    takesPart: () => present !== undefined,
    onChange: (listener) => void listeners.push(listener),
    set: async (owns) => {
      present = owns;
      await Promise.all(listeners.map((listener) => listener()));
    },
  };
}
