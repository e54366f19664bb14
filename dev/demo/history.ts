import { Client, Connection, defaultPayloadConverter, type WorkflowHandle } from '@temporalio/client';
import type { TargetAppObject } from './cluster.ts';

/** What a person sees of a workflow in the Web UI. */
export interface WorkflowPage {
  summary: string;
  /** Markdown. */
  details: string;
  searchAttributes: Record<string, string>;
  /** Activities in the order of their start, `type: summary`. */
  activities: string[];
  events: number;
}

type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number];

const decoded = (payload: NonNullable<HistoryEvent['userMetadata']>['summary']): string =>
  payload ? String(defaultPayloadConverter.fromPayload(payload)) : '';

const activitiesOf = (events: readonly HistoryEvent[]): string[] =>
  events.flatMap(({ activityTaskScheduledEventAttributes: scheduled, userMetadata }) =>
    scheduled ? [`${scheduled.activityType?.name}: ${decoded(userMetadata?.summary)}`] : [],
  );

/** Reads a TargetApp's workflow as the Web UI does. */
export async function workflowPage(address: string, { status }: TargetAppObject): Promise<WorkflowPage> {
  if (status?.workflow === undefined) throw new Error('the TargetApp does not say which workflow is its own');
  const connection = await Connection.connect({ address });
  try {
    const handle = new Client({ connection }).workflow.getHandle(status.workflow.id);
    const [description, metadata, { events }] = await Promise.all([
      handle.describe(),
      handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata'),
      handle.fetchHistory(),
    ]);
    const attributes = description.typedSearchAttributes.getAll().filter(({ key }) => key.name.startsWith('Kco'));
    return {
      summary: (await description.staticSummary()) ?? '',
      details: metadata.currentDetails ?? '',
      searchAttributes: Object.fromEntries(attributes.map(({ key, value }) => [key.name, String(value)])),
      activities: activitiesOf(events ?? []),
      events: events?.length ?? 0,
    };
  } finally {
    await connection.close();
  }
}
