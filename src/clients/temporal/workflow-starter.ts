import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type SearchAttributePair, TypedSearchAttributes } from '@temporalio/common';
import { eventsPerRun } from '../../domain/events-per-run.ts';
import type { ObjectRef } from '../../domain/refs.ts';
import { hasCode } from './grpc-codes.ts';

/** One custom resource's workflow: how it is called and what it starts with. */
export interface ResourceWorkflow {
  /** Workflow type. */
  type: string;
  /** Unique per uid, so that a name that comes back is another workflow. */
  workflowId: string;
  input: {
    app: ObjectRef;
    /** What its owner has seen of the object already, as the workflow's first observation tells it. */
    seen?: object;
  };
  /** One line for lists in the Web UI; Markdown. */
  summary: string;
  attributes: SearchAttributePair[];
}

/** What is known of the search attributes that can be set on a workflow. */
export interface UsableAttributes {
  /** Resolves when something is. */
  readonly known: Promise<void>;
  /** Their names; null: all, undefined: not known yet. */
  usable(): string[] | null | undefined;
  /** Whether nobody could ask, so that they are taken to be there until Temporal refuses a workflow with them. */
  readonly isGuess: boolean;
  /** Called when Temporal has taken a workflow only without them. */
  refused(): void;
}

/** The Kubernetes → Temporal side: workflows that exist, and the one word that is said to them. */
export interface WorkflowStarter {
  /** Makes sure that the workflow runs. */
  start(workflow: ResourceWorkflow): Promise<void>;
  /** Makes sure that it runs, and that it looks again. */
  signalWithStart(workflow: ResourceWorkflow): Promise<void>;
  /** Ids of the workflows of all kinds that run, as far as Temporal lists them by now. */
  running(): Promise<Set<string>>;
  /** Tells a workflow to look again, if there is one. */
  signal(workflowId: string): Promise<void>;
}

/** The signal of every kind's workflow. Its name is the contract with workflows/messages.ts. */
const lookAgain = 'resourceChanged';

const invalidArgument = 3;

async function signalled(client: Client, workflowId: string): Promise<void> {
  try {
    await client.workflow.getHandle(workflowId).signal(lookAgain);
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

async function runningOf(client: Client, taskQueue: string): Promise<Set<string>> {
  const query = `TaskQueue = '${taskQueue.replaceAll("'", "''")}' AND ExecutionStatus = 'Running'`;
  const ids = new Set<string>();
  for await (const { workflowId } of client.workflow.list({ query, pageSize: 1_000 })) ids.add(workflowId);
  return ids;
}

/** `use`: which search attributes can be set; a workflow that starts without some is told which it has. */
export function createWorkflowStarter(client: Client, taskQueue: string, use: UsableAttributes): WorkflowStarter {
  const optionsOf = ({ workflowId, input, summary, attributes }: ResourceWorkflow, usable = use.usable()) => ({
    workflowId,
    taskQueue,
    args: [{ ...input, sparing: true, eventsPerRun, ...(usable != null && { attributes: usable }) }],
    workflowIdReusePolicy: 'ALLOW_DUPLICATE' as const,
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    typedSearchAttributes: new TypedSearchAttributes(
      attributes.filter(({ key }) => usable?.includes(key.name) ?? true),
    ),
    staticSummary: summary,
  });
  type Options = ReturnType<typeof optionsOf>;

  /** Where nobody could ask which search attributes there are, Temporal's taking a workflow without them is the answer. */
  const begin = async (workflow: ResourceWorkflow, start: (options: Options) => Promise<unknown>): Promise<void> => {
    await use.known;
    try {
      await start(optionsOf(workflow));
    } catch (error) {
      if (!use.isGuess || !(error instanceof Error) || !hasCode(error.cause, invalidArgument)) throw error;
      await start(optionsOf(workflow, []));
      use.refused();
    }
  };
  return {
    start: (workflow) => begin(workflow, (options) => client.workflow.start(workflow.type, options)),
    signalWithStart: (workflow) =>
      begin(workflow, (options) =>
        client.workflow.signalWithStart(workflow.type, { ...options, signal: lookAgain, signalArgs: [] }),
      ),
    running: () => runningOf(client, taskQueue),
    signal: (workflowId) => signalled(client, workflowId),
  };
}
