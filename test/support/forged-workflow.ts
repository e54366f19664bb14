import { proxyActivities } from '@temporalio/workflow';

/** Somebody else's workflow, which schedules an activity on a queue of KCO with an input of its own. */
export async function forged(activity: string, taskQueue: string, input: unknown): Promise<unknown> {
  const activities = proxyActivities<Record<string, (input: unknown) => Promise<unknown>>>({
    taskQueue,
    startToCloseTimeout: '30 seconds',
    retry: { maximumAttempts: 1 },
  });
  return activities[activity]?.(input);
}
