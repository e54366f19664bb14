import { parsePath } from './path.ts';

/** Fields that do not count as changes, by name from the top down; indexes of lists do not matter. */
export interface Ignored {
  /** This field and all below it. */
  isWhole: boolean;
  below: Map<string, Ignored>;
}

const namesIn = (path: string): string[] =>
  parsePath(path).flatMap((step) => (typeof step === 'object' && 'field' in step ? [step.field] : []));

/** The fields of `spec.ignoreFields`, to be walked down beside a state: each of its values is looked at once. */
export function ignoredOf(fields: readonly string[]): Ignored {
  const top: Ignored = { isWhole: false, below: new Map() };
  for (const field of fields) {
    let at = top;
    for (const name of namesIn(field)) {
      const next = at.below.get(name) ?? { isWhole: false, below: new Map() };
      at.below.set(name, next);
      at = next;
    }
    at.isWhole = at !== top;
  }
  return top;
}

/** Whether a path is, or lies below, one of the ignored fields; indexes do not matter (`peers[*].latency` = `peers.latency`). */
export function isIgnored(path: string, fields: readonly string[]): boolean {
  let at: Ignored | undefined = ignoredOf(fields);
  for (const name of namesIn(path)) {
    at = at?.below.get(name);
    if (at?.isWhole) return true;
  }
  return false;
}
