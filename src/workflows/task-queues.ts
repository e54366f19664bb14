/**
 * The task queues of an installation, by the one that it is set up with. Polls stay there, beside the workflows. What acts and
 * what reports has its own, each with slots of its own: a receiver that says nothing holds up no poll.
 */
export const taskQueues = {
  actions: (queue: string) => `${queue}-actions`,
  polls: (queue: string) => queue,
  reports: (queue: string) => `${queue}-reports`,
};

/** One of the task queues. */
export type QueueName = keyof typeof taskQueues;
