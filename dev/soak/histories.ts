import type { Client } from '@temporalio/client';

/** How long the histories of the workflows are, and were. */
export class Histories {
  readonly #client: Client;
  readonly #last = new Map<string, { runId: string; events: number }>();
  /** Of one run; and events of all runs that came since each workflow was first looked at. */
  longest = 0;
  added = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Looks at these; rejects while Temporal is away. */
  async look(workflowIds: readonly string[]): Promise<void> {
    for (const id of workflowIds) {
      const { runId, historyLength: events } = await this.#client.workflow.getHandle(id).describe();
      const before = this.#last.get(id);
      if (before !== undefined) this.added += before.runId === runId ? events - before.events : events;
      this.#last.set(id, { runId, events });
      this.longest = Math.max(this.longest, events);
    }
  }

  /** Ids of these whose workflows still run. */
  async running(workflowIds: readonly string[]): Promise<string[]> {
    const running: string[] = [];
    for (const id of workflowIds) {
      const { status } = await this.#client.workflow.getHandle(id).describe();
      if (status.name === 'RUNNING') running.push(id);
    }
    return running;
  }
}
