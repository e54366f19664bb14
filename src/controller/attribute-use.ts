import type { Client } from '@temporalio/client';
import type { UsableAttributes } from '../clients/temporal/workflow-starter.ts';
import type { CheckResult } from '../server/checks.ts';
import type { Log } from '../telemetry/logger.ts';
import { type Found, type OperatorService, registerOrGuess } from './register-attributes.ts';
import { troubleOf, type Wanted, wanted } from './wanted-attributes.ts';

/** How often it is looked which search attributes there are: room for those that are missing may have been made. */
const lookEveryMs = 60_000;

/** Which of KCO's search attributes the Temporal namespace has. Workflows do without the others. */
export interface AttributeUse extends UsableAttributes {
  /** Registers what is missing and can be registered; the names of those. Rejects when Temporal does not answer. */
  look(isNewNamespace: boolean): Promise<string[]>;
  /** Says in one sentence what is missing, and what to do about it. */
  check(): CheckResult;
}

/** Running workflows are told of what was registered just now at the next look, when all of Temporal knows it. */
const usableOf = ({ usable, registered }: Found, isNewNamespace: boolean): Wanted[] =>
  isNewNamespace ? [...usable, ...registered] : usable;

export function createAttributeUse({ connection }: Client, namespace: string, log: Log): AttributeUse {
  const { operatorService } = connection as unknown as { operatorService: OperatorService };
  let lookedAt = Number.NEGATIVE_INFINITY;
  let usable: Wanted[] | undefined;
  const { promise: known, resolve: becomeKnown } = Promise.withResolvers<void>();
  let isGuess = false;
  let trouble: string | undefined;

  const setTrouble = (now: string | undefined): void => {
    if (now !== undefined && now !== trouble) log.warning('search attributes missing', { error: now });
    trouble = now;
  };

  return {
    look: async (isNewNamespace) => {
      if (isNewNamespace) isGuess = false;
      if (!isNewNamespace && (isGuess || performance.now() - lookedAt < lookEveryMs)) return [];
      const found = await registerOrGuess(operatorService, namespace);
      isGuess = found.isGuess ?? false;
      usable = usableOf(found, isNewNamespace);
      becomeKnown();
      lookedAt = performance.now();
      setTrouble(found.trouble);
      return found.registered.map(({ name }) => name);
    },
    known,
    usable: () => (usable?.length === wanted.length ? null : usable?.map(({ name }) => name)),
    get isGuess() {
      return isGuess;
    },
    refused: () => {
      isGuess = false;
      lookedAt = Number.POSITIVE_INFINITY;
      usable = [];
      setTrouble(troubleOf(namespace, { forbidden: wanted, full: [], alien: [] }));
    },
    check: () => (trouble === undefined ? { ok: true } : { ok: true, degraded: true, message: trouble }),
  };
}
