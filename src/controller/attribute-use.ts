import type { Client } from '@temporalio/client';
import { hasCode } from '../clients/temporal/grpc-codes.ts';
import type { UsableAttributes } from '../clients/temporal/workflow-starter.ts';
import type { CheckResult } from '../server/checks.ts';
import type { Log } from '../telemetry/logger.ts';
import { searchAttributes } from '../workflows/search-attributes.ts';

const indexedTypes = { BOOL: 5, KEYWORD: 2 } as const;
const wanted = Object.values(searchAttributes).map(({ name, type }) => ({
  name,
  type: indexedTypes[type as keyof typeof indexedTypes],
}));
type Wanted = (typeof wanted)[number];

/** The part of Temporal's operator service that is used here. */
interface OperatorService {
  listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: Record<string, number> | null }>;
  addSearchAttributes(request: { namespace: string; searchAttributes: Record<string, number> }): Promise<unknown>;
}

/** How often it is looked which search attributes there are: room for those that are missing may have been made. */
const lookEveryMs = 60_000;
/** CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE: another attempt may help, so nothing is known yet. */
const passing = [1, 2, 4, 10, 13, 14] as const;
/** UNIMPLEMENTED, PERMISSION_DENIED, UNAUTHENTICATED. */
const refusing = [12, 7, 16] as const;

const typeName = (type: number): string => (type === indexedTypes.BOOL ? 'Bool' : 'Keyword');
const namesOf = (attributes: Wanted[]): string => attributes.map(({ name }) => name).join(', ');

/** What is missing, why, and what a person can do about it. */
function troubleOf(namespace: string, missing: Record<'alien' | 'forbidden' | 'full', Wanted[]>): string | undefined {
  const { alien, forbidden, full } = missing;
  const where = `in the Temporal namespace ${namespace}`;
  const flags = forbidden.map(({ name, type }) => `--name ${name} --type ${typeName(type)}`).join(' ');
  const sentences = [
    ...(full.length === 0
      ? []
      : [
          `there is no room ${where} for the search attributes ${namesOf(full)}: remove some that nobody needs (temporal operator search-attribute remove -n ${namespace} --name <name>), or give KCO a namespace of its own (KCO_TEMPORAL_NAMESPACE)`,
        ]),
    ...(forbidden.length === 0
      ? []
      : [
          `KCO may not register search attributes ${where}: temporal operator search-attribute create -n ${namespace} ${flags}`,
        ]),
    ...alien.map(({ name, type }) => `the search attribute ${name} ${where} is not of the type ${typeName(type)}`),
  ];
  if (sentences.length === 0) return undefined;
  return `${sentences.join('; ')}. Until then workflows cannot be found by ${namesOf([...full, ...forbidden, ...alien])}; all else works`;
}

/** Which of KCO's search attributes the Temporal namespace has. Workflows do without the others. */
export interface AttributeUse extends UsableAttributes {
  /** Registers what is missing and can be registered; the names of those. Rejects when Temporal does not answer. */
  look(isNewNamespace: boolean): Promise<string[]>;
  /** Says in one sentence what is missing, and what to do about it. */
  check(): CheckResult;
}

interface Found {
  usable: Wanted[];
  registered: Wanted[];
  trouble?: string;
}

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

  /** Why it cannot be registered; undefined when it was. */
  const refusalOf = async ({ name, type }: Wanted): Promise<'forbidden' | 'full' | undefined> => {
    try {
      await operatorService.addSearchAttributes({ namespace, searchAttributes: { [name]: type } });
      return undefined;
    } catch (error) {
      if (hasCode(error, ...passing)) throw error;
      return hasCode(error, ...refusing) ? 'forbidden' : 'full';
    }
  };

  const find = async (): Promise<Found> => {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    const there = new Map(Object.entries(customAttributes ?? {}));
    const sound = wanted.filter(({ name, type }) => there.get(name) === type);
    const alien = wanted.filter(({ name, type }) => there.has(name) && there.get(name) !== type);
    const registered: Wanted[] = [];
    const refused: Record<'forbidden' | 'full', Wanted[]> = { forbidden: [], full: [] };
    // One by one: where there is room for some, those are had.
    for (const each of wanted.filter(({ name }) => !there.has(name))) {
      const refusal = await refusalOf(each);
      (refusal === undefined ? registered : refused[refusal]).push(each);
    }
    return { usable: sound, registered, trouble: troubleOf(namespace, { ...refused, alien }) };
  };

  const findOrGuess = async (): Promise<Found> => {
    try {
      return await find();
    } catch (error) {
      if (!hasCode(error, ...refusing)) throw error;
      isGuess = true;
      return { usable: wanted, registered: [] };
    }
  };

  return {
    look: async (isNewNamespace) => {
      if (isNewNamespace) isGuess = false;
      if (!isNewNamespace && (isGuess || performance.now() - lookedAt < lookEveryMs)) return [];
      const found = await findOrGuess();
      // Running workflows are told of what was registered just now at the next look, when all of Temporal knows it.
      usable = isNewNamespace ? [...found.usable, ...found.registered] : found.usable;
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
