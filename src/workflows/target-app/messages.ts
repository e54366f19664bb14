import { defineUpdate } from '@temporalio/workflow';

/**
 * Sends webhooks again that could not be delivered, and those that wait to be sent again, at once and under the ids that
 * they have: the one of that action id, or all. Answers with the ids. Refused when there is none.
 */
export const redeliver = defineUpdate<string[], [actionId?: string]>('redeliver');
