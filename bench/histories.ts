import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { KubeObject } from '../src/clients/kubernetes/client.ts';
import type { Observation, ObserveInput } from '../src/domain/target-app/observation.ts';

const { HistoryEvent } = proto.temporal.api.history.v1;
type HistoryEvent = proto.temporal.api.history.v1.IHistoryEvent;

/** One poll as a history tells it. */
export interface Poll {
  /** Epoch milliseconds. */
  due: number;
  /** From due to the start of the observing activity. */
  lagMs: number;
  unchanged: boolean;
  /** Bytes of all events from the one after the poll before to its last. */
  historyBytes: number;
}

/** The events of a workflow's present run. */
export async function eventsOf(client: Client, workflowId: string): Promise<HistoryEvent[]> {
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
  return events ?? [];
}

const millis = (time: proto.google.protobuf.ITimestamp | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6;

/** The polls in a history. An unchanged one answered with nothing but a number of pods. */
export function pollsOf(events: HistoryEvent[]): Poll[] {
  const inputs = new Map<string, ObserveInput>();
  const starts = new Map<string, number>();
  const polls: Poll[] = [];
  let bytes = 0;
  for (const event of events) {
    bytes += HistoryEvent.encode(event).finish().length;
    const scheduled = event.activityTaskScheduledEventAttributes;
    if (scheduled?.activityType?.name === 'observe') {
      const payload = scheduled.input?.payloads?.[0];
      if (payload) inputs.set(String(event.eventId), defaultPayloadConverter.fromPayload<ObserveInput>(payload));
    }
    const begun = event.activityTaskStartedEventAttributes;
    if (begun) starts.set(String(begun.scheduledEventId), millis(event.eventTime));
    const completed = event.activityTaskCompletedEventAttributes;
    const input = inputs.get(String(completed?.scheduledEventId));
    const result = completed?.result?.payloads?.[0];
    if (input === undefined || !result) continue;
    const observation = defaultPayloadConverter.fromPayload<Observation>(result);
    const startedAt = starts.get(String(completed?.scheduledEventId)) ?? Number.NaN;
    polls.push({
      due: input.due,
      lagMs: Math.round(startedAt - input.due),
      unchanged: Object.keys(observation).length === 1,
      historyBytes: bytes,
    });
    bytes = 0;
  }
  return polls;
}

/** How many pods have no Event that tells of the change. */
export function changesMissed(pods: string[], events: (KubeObject & { reason?: string; message?: string })[]): number {
  const told = events.filter(({ reason }) => reason === 'StateChanged').map(({ message }) => message ?? '');
  return pods.filter((pod) => !told.some((message) => message.includes('to degraded') && message.endsWith(pod))).length;
}
