import type { Kind } from './crd/crd.ts';

/** How the objects of a kind are reached at the API server. */
export const refOf = ({ group, version, kind, plural }: Kind) => ({
  apiVersion: `${group}/${version}`,
  kind,
  plural,
  namespaced: true,
});
