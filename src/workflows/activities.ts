import {
  type ActivityOptions,
  proxyActivities,
  proxyLocalActivities,
  proxySinks,
  type Sinks,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { DropReason } from '../domain/events.ts';
import type { ObjectSeen } from '../domain/object-seen.ts';
import type { ResourceMemory } from '../domain/resource-memory.ts';
import { taskQueues } from '../domain/task-queues.ts';
import type { RunState } from './run-state.ts';

/** A dead worker is noticed by its missing heartbeats: this is how long an interrupted activity stays undecided. */
export const heartbeatTimeout = '10 seconds';

const written = (queue: 'events' | 'reports'): ActivityOptions => ({
  taskQueue: taskQueues[queue](workflowInfo().taskQueue),
  startToCloseTimeout: '15 seconds',
  heartbeatTimeout,
});

/** Retried until it is done: the API server may be away for long. */
const untilDone = { initialInterval: '1 second', maximumInterval: '10 seconds' } as const;

const onObjects = (summary: string) =>
  proxyActivities<Activities>({ startToCloseTimeout: '15 seconds', heartbeatTimeout, retry: untilDone, summary });

/**
 * Reads the object of a run, for the observation of a kind that reads nothing else.
 *
 * @param generation the one that the run knows
 * @param fresh a change was signalled: what a cache knows may be older
 * @public for kinds to come; CONTRIBUTING.md says how
 */
export const readObject = (
  { kind, app, attributes }: RunState<ResourceMemory>,
  generation: number | undefined,
  fresh: boolean,
): Promise<ObjectSeen> =>
  onObjects('read the object').readObject({
    kind: kind.kind,
    app,
    ...(generation !== undefined && { generation }),
    ...(fresh && { fresh }),
    ...(attributes !== undefined && { attributes }),
  });

/**
 * Applies an object that the custom resource owns; applied twice it is the same.
 *
 * @public for kinds to come; CONTRIBUTING.md says how
 */
export const applyOwned: Activities['applyOwned'] = (kind, app, wanted) =>
  onObjects(`apply the ${wanted.kind} ${wanted.metadata.name}`).applyOwned(kind, app, wanted);

/** Ends the turn of this workflow, wherever it is held: it has seen nothing. False when Temporal does not know it. */
export const { endTurn } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '5 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '5 seconds' },
  summary: 'end the turn',
});

/** Puts KCO's finalizer on the object, or takes it off. */
export const setFinalizer: Activities['setFinalizer'] = (...args) =>
  onObjects('set the finalizer').setFinalizer(...args);

/** Writes a status; repeated without effect, so it is retried until it succeeds. */
export const reportStatus: Activities['reportStatus'] = (...report) =>
  proxyActivities<Activities>({
    ...written('reports'),
    retry: untilDone,
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
