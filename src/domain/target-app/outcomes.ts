import type { ActionOutcome, OutcomeStatus } from './action.ts';

/** An outcome from its reason and its sentence; what only some have comes last. */
const ended =
  (status: OutcomeStatus) =>
  (reason: string, message: string, more: Pick<ActionOutcome, 'code' | 'output' | 'undone'> = {}): ActionOutcome => ({
    status,
    reason,
    message,
    ...more,
  });

export const dryRun = ended('dryRun');
export const failed = ended('failed');
export const refused = ended('refused');
export const succeeded = ended('succeeded');
export const unknown = ended('unknown');
