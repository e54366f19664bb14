import type { Client } from '@temporalio/client';
import { hasCode } from '../clients/temporal/grpc-codes.ts';
import type { AttributeUse } from '../controller/attribute-use.ts';

/** Something that KCO needs and that is not there, in one sentence that says what to do. */
class PrerequisiteError extends Error {}

const notFound = 5;

/** The id of the Temporal namespace. Only a person may make one: how long it keeps histories is theirs to say. */
async function namespaceId({ workflowService }: Client, namespace: string): Promise<string> {
  try {
    const { namespaceInfo } = await workflowService.describeNamespace({ namespace });
    return namespaceInfo?.id ?? '';
  } catch (error) {
    if (!hasCode(error, notFound)) throw error;
    throw new PrerequisiteError(
      `Temporal has no namespace ${namespace}: create it (temporal operator namespace create -n ${namespace}), or set KCO_TEMPORAL_NAMESPACE`,
      { cause: error },
    );
  }
}

/** What Temporal must have before a workflow can start. */
export interface TemporalPrerequisites {
  /**
   * Looks, and makes what may be made. `isNew`: this is not the namespace of the look before (the database was wiped),
   * so none of its workflows is there any more. `registered`: search attributes that were made just now.
   */
  ensure(): Promise<{ isNew: boolean; registered: string[] }>;
}

/** Looks at the namespace every time, and at its search attributes when it is another one, or from time to time. */
export function createTemporalPrerequisites(
  client: Client,
  namespace: string,
  attributes: Pick<AttributeUse, 'look'>,
): TemporalPrerequisites {
  let known: string | undefined;
  return {
    ensure: async () => {
      const id = await namespaceId(client, namespace);
      const registered = await attributes.look(id !== known);
      const isNew = known !== undefined && id !== known;
      known = id;
      return { isNew, registered };
    },
  };
}
