/**
 * The task queues of an installation, by the one that it is set up with. Polls stay there, beside the workflows. What acts, what
 * records Events and what reports a status has its own, each with slots of its own: a receiver that says nothing holds up no
 * poll, and an API server that takes no Events holds up no status.
 */
export const taskQueues = {
  actions: (queue: string) => `${queue}-actions`,
  events: (queue: string) => `${queue}-events`,
  polls: (queue: string) => queue,
  reports: (queue: string) => `${queue}-reports`,
};

/** One of the task queues. */
export type QueueName = keyof typeof taskQueues;
