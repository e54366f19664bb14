import type { KindName } from '../../api/kinds.ts';
import { targetApp } from './target-app.ts';

/** The table of kinds that the controller serves. A kind without an entry is a compile error. */
export const registrations = { TargetApp: targetApp } satisfies Record<KindName, unknown>;
