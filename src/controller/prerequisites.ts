import type { Client } from '@temporalio/client';
import { searchAttributes } from '../workflows/search-attributes.ts';

/** Something that KCO needs and that is not there, in one sentence that says what to do. */
class PrerequisiteError extends Error {}

const indexedTypes = { BOOL: 5, KEYWORD: 2 } as const;

const grpcNotFound = 5;
/** PERMISSION_DENIED, UNIMPLEMENTED, UNAUTHENTICATED. */
const mayNot = [7, 12, 16];
const hasCode = (error: unknown, code: number): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;

/** The id of the Temporal namespace. Only a person may make one: how long it keeps histories is theirs to say. */
async function namespaceId({ workflowService }: Client, namespace: string): Promise<string> {
  try {
    const { namespaceInfo } = await workflowService.describeNamespace({ namespace });
    return namespaceInfo?.id ?? '';
  } catch (error) {
    if (!hasCode(error, grpcNotFound)) throw error;
    throw new PrerequisiteError(
      `Temporal has no namespace ${namespace}: create it (temporal operator namespace create -n ${namespace}), or set KCO_TEMPORAL_NAMESPACE`,
      { cause: error },
    );
  }
}

const howToRegister = Object.values(searchAttributes)
  .map(({ name, type }) => `--name ${name} --type ${type === 'BOOL' ? 'Bool' : 'Keyword'}`)
  .join(' ');

const isForbidden = (error: unknown): boolean => mayNot.some((code) => hasCode(error, code));

/** The search attributes that are not registered; none when KCO may not ask: a start would then say which are not. */
async function missingAttributes(operatorService: OperatorService, namespace: string) {
  try {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
    return Object.values(searchAttributes).filter(({ name }) => !Object.hasOwn(customAttributes ?? {}, name));
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}

/** Registers the search attributes that are missing; where KCO may not, it says how a person does. */
async function ensureSearchAttributes({ connection }: Client, namespace: string): Promise<string[]> {
  const { operatorService } = connection as unknown as { operatorService: OperatorService };
  const missing = await missingAttributes(operatorService, namespace);
  if (missing.length === 0) return [];
  const wanted = Object.fromEntries(
    missing.map(({ name, type }) => [name, indexedTypes[type as keyof typeof indexedTypes]]),
  );
  try {
    await operatorService.addSearchAttributes({ namespace, searchAttributes: wanted });
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const message = `KCO may not register search attributes in the Temporal namespace ${namespace}: temporal operator search-attribute create -n ${namespace} ${howToRegister}`;
    throw new PrerequisiteError(message, { cause: error });
  }
  return Object.keys(wanted);
}

/** The part of Temporal's operator service that is used here. */
interface OperatorService {
  listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: Record<string, unknown> | null }>;
  addSearchAttributes(request: { namespace: string; searchAttributes: Record<string, number> }): Promise<unknown>;
}

/** What Temporal must have before a workflow can start. */
export interface TemporalPrerequisites {
  /**
   * Looks, and makes what may be made. `isNew`: this is not the namespace of the look before (the database was wiped),
   * so none of its workflows is there any more. `registered`: search attributes that were made just now.
   */
  ensure(): Promise<{ isNew: boolean; registered: string[] }>;
}

/** Search attributes are looked at once per namespace that is met, the namespace every time. */
export function createTemporalPrerequisites(client: Client, namespace: string): TemporalPrerequisites {
  let known: string | undefined;
  return {
    ensure: async () => {
      const id = await namespaceId(client, namespace);
      if (id === known) return { isNew: false, registered: [] };
      const registered = await ensureSearchAttributes(client, namespace);
      const isNew = known !== undefined;
      known = id;
      return { isNew, registered };
    },
  };
}
