import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type SearchAttributePair, TypedSearchAttributes } from '@temporalio/common';
import type { AppRef } from '../../domain/target-app/observation.ts';
import type { AttributeUse } from './attribute-use.ts';
import { hasCode } from './grpc-codes.ts';

/** One custom resource's workflow: how it is called and what it starts with. */
export interface Conversation {
  /** Workflow type. */
  type: string;
  /** Unique per uid, so that a name that comes back is another workflow. */
  workflowId: string;
  input: { app: AppRef };
  /** One line for lists in the Web UI; Markdown. */
  summary: string;
  attributes: SearchAttributePair[];
}

/** The Kubernetes → Temporal side: workflows that exist, and the one word that is said to them. */
export interface Conversations {
  /** Makes sure that the workflow runs. */
  ensure(conversation: Conversation): Promise<void>;
  /** Makes sure that it runs, and that it looks again. */
  ensureAndTell(conversation: Conversation): Promise<void>;
  /** Tells a workflow to look again, if there is one. */
  tell(workflowId: string): Promise<void>;
}

/** The signal of every kind's workflow. Its name is the contract with workflows/messages.ts. */
const lookAgain = 'resourceChanged';

const invalidArgument = 3;

/** `use`: which search attributes can be set; a workflow that starts without some is told which it has. */
export function createConversations(
  client: Client,
  taskQueue: string,
  use: Pick<AttributeUse, 'isGuess' | 'known' | 'refused' | 'usable'>,
): Conversations {
  const optionsOf = ({ workflowId, input, summary, attributes }: Conversation, usable = use.usable()) => ({
    workflowId,
    taskQueue,
    args: [usable == null ? input : { ...input, attributes: usable }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    typedSearchAttributes: new TypedSearchAttributes(
      attributes.filter(({ key }) => usable?.includes(key.name) ?? true),
    ),
    staticSummary: summary,
  });
  type Options = ReturnType<typeof optionsOf>;

  /** Where nobody could ask which search attributes there are, Temporal's taking a workflow without them is the answer. */
  const begin = async (conversation: Conversation, start: (options: Options) => Promise<unknown>): Promise<void> => {
    await use.known;
    try {
      await start(optionsOf(conversation));
    } catch (error) {
      if (!use.isGuess || !(error instanceof Error) || !hasCode(error.cause, invalidArgument)) throw error;
      await start(optionsOf(conversation, []));
      use.refused();
    }
  };
  return {
    ensure: (conversation) => begin(conversation, (options) => client.workflow.start(conversation.type, options)),
    ensureAndTell: (conversation) =>
      begin(conversation, (options) =>
        client.workflow.signalWithStart(conversation.type, { ...options, signal: lookAgain, signalArgs: [] }),
      ),
    tell: async (workflowId) => {
      try {
        await client.workflow.getHandle(workflowId).signal(lookAgain);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}
