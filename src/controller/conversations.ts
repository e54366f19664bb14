import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type SearchAttributePair, TypedSearchAttributes } from '@temporalio/common';
import type { AppRef } from '../domain/observation.ts';

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

export function createConversations(client: Client, taskQueue: string): Conversations {
  const optionsOf = ({ workflowId, input, summary, attributes }: Conversation) => ({
    workflowId,
    taskQueue,
    args: [input],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    typedSearchAttributes: new TypedSearchAttributes(attributes),
    staticSummary: summary,
  });
  return {
    ensure: async (conversation) => {
      await client.workflow.start(conversation.type, optionsOf(conversation));
    },
    ensureAndTell: async (conversation) => {
      await client.workflow.signalWithStart(conversation.type, {
        ...optionsOf(conversation),
        signal: lookAgain,
        signalArgs: [],
      });
    },
    tell: async (workflowId) => {
      try {
        await client.workflow.getHandle(workflowId).signal(lookAgain);
      } catch (error) {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
  };
}
