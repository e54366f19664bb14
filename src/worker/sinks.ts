import type { InjectedSinks } from '@temporalio/worker';
import type { Metrics } from '../telemetry/metrics/index.ts';
import type { EventSinks } from '../workflows/activities.ts';
import type { DecisionSinks } from '../workflows/target-app/activities.ts';

/** Decisions of workflows become counts; on replay they do not. */
export const sinksOf = (metrics: Metrics): InjectedSinks<DecisionSinks & EventSinks> => ({
  events: {
    dropped: { fn: (_, reason, count) => metrics.eventsDropped({ reason, count }) },
  },
  decisions: {
    ended: { fn: (_, type, status, seconds) => metrics.actionExecuted({ type, status, seconds }) },
    fired: { fn: (_, action) => metrics.triggerFired({ action }) },
    suppressed: { fn: (_, reason) => metrics.triggerSuppressed({ reason }) },
  },
});
