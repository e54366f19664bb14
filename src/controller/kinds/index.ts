import type { KindName } from '../../api/kinds.ts';
import type { WorkflowStarter } from '../../clients/temporal/workflow-starter.ts';
import { createKindController, type WatchingOptions } from '../kind-controller.ts';
import { targetApp } from './target-app.ts';

/** The table of kinds that the controller serves. A kind without an entry is a compile error. */
export const registrations = { TargetApp: targetApp } satisfies Record<KindName, unknown>;

/** A controller for every kind. A kind without an entry is a compile error. */
export const createKindControllers = (starter: WorkflowStarter, watching: WatchingOptions) =>
  ({
    TargetApp: createKindController(registrations.TargetApp, starter, watching),
  }) satisfies Record<KindName, unknown>;
