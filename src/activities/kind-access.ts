import type { Kind } from '../api/crd/crd.ts';
import { type KindName, kinds } from '../api/kinds.ts';
import { ownedRefOf, refOf } from '../api/resource-ref.ts';
import type { ResourceRef } from '../clients/kubernetes/types.ts';
import { own } from '../domain/json.ts';

/** A kind as the activities need it. */
export interface KindAccess {
  ref: ResourceRef;
  /** What log lines call one of its objects. */
  column: string;
  /** Types of which its objects own some. */
  owns: readonly ResourceRef[];
}

const accessOf = (kind: Kind): KindAccess => ({
  ref: refOf(kind),
  column: kind.column ?? kind.singular,
  owns: (kind.owns ?? []).map(ownedRefOf),
});

const table = Object.fromEntries(Object.entries(kinds).map(([name, kind]) => [name, accessOf(kind)])) as Record<
  KindName,
  KindAccess
>;

/** The kind of that name. Throws a `TypeError` for one that a history names and this version lacks. */
export function kindAccess(name: string): KindAccess {
  const known = own<KindAccess>(table, name);
  if (known === undefined) throw new TypeError(`no kind is called ${name}`);
  return known;
}
