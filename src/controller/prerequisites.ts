import type { Client } from '@temporalio/client';
import type { Kube, ResourceRef } from '../clients/kube.ts';
import { searchAttributes } from '../workflows/search-attributes.ts';

/** Something that KCO needs and that is not there, in one sentence that says what to do. */
export class PrerequisiteError extends Error {}

const indexedTypes = { BOOL: 5, KEYWORD: 2 } as const;

const grpcNotFound = 5;
const hasCode = (error: unknown, code: number): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === code;

/** Makes sure that the Temporal namespace exists. Only a person may decide to make one: how long it keeps what is theirs to say. */
async function ensureNamespace({ workflowService }: Client, namespace: string): Promise<string> {
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

/** Registers the search attributes that are missing. */
async function ensureSearchAttributes({ connection }: Client, namespace: string): Promise<string[]> {
  const { operatorService } = connection as unknown as { operatorService: OperatorService };
  const { customAttributes } = await operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter(({ name }) => !Object.hasOwn(customAttributes ?? {}, name));
  if (missing.length === 0) return [];
  const wanted = Object.fromEntries(
    missing.map(({ name, type }) => [name, indexedTypes[type as keyof typeof indexedTypes]]),
  );
  await operatorService.addSearchAttributes({ namespace, searchAttributes: wanted });
  return Object.keys(wanted);
}

/** The part of Temporal's operator service that is used here. */
interface OperatorService {
  listSearchAttributes(request: { namespace: string }): Promise<{ customAttributes?: Record<string, unknown> | null }>;
  addSearchAttributes(request: { namespace: string; searchAttributes: Record<string, number> }): Promise<unknown>;
}

/** What Temporal must have before a workflow can start. Answers with the namespace's id, which a wiped database changes. */
export async function ensureTemporal(
  client: Client,
  namespace: string,
): Promise<{ namespaceId: string; registered: string[] }> {
  const namespaceId = await ensureNamespace(client, namespace);
  return { namespaceId, registered: await ensureSearchAttributes(client, namespace) };
}

/** What the API server must have: the kind. */
export async function checkServed(kube: Pick<Kube, 'isServed'>, ref: ResourceRef): Promise<void> {
  if (await kube.isServed(ref)) return;
  throw new PrerequisiteError(
    `the API server does not know ${ref.kind} (${ref.apiVersion}): apply the CustomResourceDefinition (kubectl apply -f crds/)`,
  );
}
