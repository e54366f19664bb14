import type { Kind, OwnedType } from './crd/crd.ts';

/** How the objects of a kind are reached at the API server. */
export const refOf = ({ group, version, kind, plural, scope }: Kind) => ({
  apiVersion: `${group}/${version}`,
  kind,
  plural,
  namespaced: scope === 'Namespaced',
});

/** The same of a type that a kind owns. */
export const ownedRefOf = ({ apiVersion, kind, plural }: OwnedType) => ({ apiVersion, kind, plural, namespaced: true });
