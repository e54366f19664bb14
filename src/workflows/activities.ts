import { type ActivityOptions, proxyActivities, proxySinks, type Sinks, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { DropReason } from '../domain/events.ts';
import { taskQueues } from '../domain/task-queues.ts';

/** A dead worker is noticed by its missing heartbeats: this is how long an interrupted activity stays undecided. */
export const heartbeatTimeout = '10 seconds';

const written = (queue: 'events' | 'reports'): ActivityOptions => ({
  taskQueue: taskQueues[queue](workflowInfo().taskQueue),
  startToCloseTimeout: '15 seconds',
  heartbeatTimeout,
});

/** Writes a status; repeated without effect, so it is retried until it succeeds. */
export const reportStatus: Activities['reportStatus'] = (...report) =>
  proxyActivities<Activities>({
    ...written('reports'),
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds' },
    summary: 'write status',
  }).reportStatus(...report);

/** Records Events, once: those that are not taken are to be tried again apart from the others. */
export const recordEvents: Activities['recordEvents'] = (...events) =>
  proxyActivities<Activities>({
    ...written('events'),
    retry: { maximumAttempts: 1 },
    summary: 'record Events',
  }).recordEvents(...events);

/** Tries again for a while. Not for ever, so that others have their turn. */
export const recordEventsAgain: Activities['recordEvents'] = (...events) =>
  proxyActivities<Activities>({
    ...written('events'),
    scheduleToCloseTimeout: '1 minute',
    retry: { initialInterval: '1 second', backoffCoefficient: 1.5, maximumInterval: '15 seconds' },
    summary: 'record Events again',
  }).recordEvents(...events);

/** Counters of the worker for what every kind's workflow does; not called again on replay. */
export interface EventSinks extends Sinks {
  events: {
    /** Events that are not recorded, and why. */
    dropped(reason: DropReason, count: number): void;
  };
}
export const { events: eventCounters } = proxySinks<EventSinks>();
