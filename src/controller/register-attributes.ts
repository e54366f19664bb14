import { hasCode } from '../clients/temporal/grpc-codes.ts';
import { troubleOf, type Wanted, wanted } from './wanted-attributes.ts';

/** The part of Temporal's operator service that is used here. */
export interface OperatorService {
  listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: Record<string, number> | null }>;
  addSearchAttributes(request: { namespace: string; searchAttributes: Record<string, number> }): Promise<unknown>;
}

/** CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, ABORTED, INTERNAL, UNAVAILABLE: another attempt may help, so nothing is known yet. */
const passing = [1, 2, 4, 10, 13, 14] as const;
/** UNIMPLEMENTED, PERMISSION_DENIED, UNAUTHENTICATED. */
const refusing = [12, 7, 16] as const;

/** What a Temporal namespace has of KCO's search attributes. */
export interface Found {
  /** There before, and of the right type. */
  usable: Wanted[];
  registered: Wanted[];
  /** What is missing, why, and what a person can do about it. */
  trouble?: string;
  /** KCO may not look, and takes all for usable. */
  isGuess?: true;
}

/** Why a search attribute cannot be registered; undefined when it was. Throws what may pass. */
const register = async (
  service: OperatorService,
  namespace: string,
  { name, type }: Wanted,
): Promise<'forbidden' | 'full' | undefined> => {
  try {
    await service.addSearchAttributes({ namespace, searchAttributes: { [name]: type } });
    return undefined;
  } catch (error) {
    if (hasCode(error, ...passing)) throw error;
    return hasCode(error, ...refusing) ? 'forbidden' : 'full';
  }
};

const registerMissing = async (service: OperatorService, namespace: string): Promise<Found> => {
  const { customAttributes } = await service.listSearchAttributes({ namespace });
  const there = new Map(Object.entries(customAttributes ?? {}));
  const sound = wanted.filter(({ name, type }) => there.get(name) === type);
  const alien = wanted.filter(({ name, type }) => there.has(name) && there.get(name) !== type);
  const registered: Wanted[] = [];
  const refused: Record<'forbidden' | 'full', Wanted[]> = { forbidden: [], full: [] };
  // One by one: where there is room for some, those are had.
  for (const each of wanted.filter(({ name }) => !there.has(name))) {
    const refusal = await register(service, namespace, each);
    (refusal === undefined ? registered : refused[refusal]).push(each);
  }
  return { usable: sound, registered, trouble: troubleOf(namespace, { ...refused, alien }) };
};

/** Registers what is missing and can be registered. Rejects when Temporal does not answer. */
export const registerOrGuess = async (service: OperatorService, namespace: string): Promise<Found> => {
  try {
    return await registerMissing(service, namespace);
  } catch (error) {
    if (!hasCode(error, ...refusing)) throw error;
    return { usable: wanted, registered: [], isGuess: true };
  }
};
