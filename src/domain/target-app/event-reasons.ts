import type { FailureClass } from '../failure.ts';

/** Every reason that an Event of KCO can have; documented in docs/events.md. */
export type EventReason =
  | FailureClass
  | 'ActionDryRun'
  | 'ActionFailed'
  | 'ActionOutcomeUnknown'
  | 'ActionRefused'
  | 'ActionSucceeded'
  | 'ActionWaiting'
  | 'EventsDropped'
  | 'InvalidSpec'
  | 'MonitoringStarted'
  | 'Recovered'
  | 'Resumed'
  | 'StateChanged'
  | 'StatusRefused'
  | 'SubscriptionFailed'
  | 'Suspended'
  | 'TriggerFired'
  | 'TriggerRecovered'
  | 'TriggerSuppressed'
  | 'TriggerTypeMismatch';
