import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';

import { Tally } from './tally.ts';

/** Does work of a namespace, unless that has its share of it under way already. */
export type Share = <T>(namespace: string, work: () => Promise<T>) => Promise<T>;

/** When work that was turned away comes again: spread, so that it does not come all at once. */
const againMs = (): number => 2_000 + Math.random() * 3_000;

/**
 * Half of the slots are all that one namespace gets: where the API server hangs in one (an admission webhook there, say),
 * the others go on. What is over is turned away at once and comes again, because waiting would take a slot as well.
 */
export function createShare(slots: number): Share {
  const most = Math.ceil(slots / 2);
  const underWay = new Tally();
  return async (namespace, work) => {
    const before = underWay.of(namespace);
    if (before >= most)
      throw ApplicationFailure.create({
        type: 'NamespaceBusy',
        message: `${before} writes to the namespace ${namespace} are under way already`,
        nextRetryDelay: againMs(),
        // Nothing went wrong, so nothing is to be logged or counted.
        category: ApplicationFailureCategory.BENIGN,
      });
    underWay.add(namespace);
    try {
      return await work();
    } finally {
      underWay.remove(namespace);
    }
  };
}
