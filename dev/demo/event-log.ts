import type { JsonObject } from '../../src/domain/json.ts';

/** Something that the demo saw happen. `at`: epoch milliseconds, when it was seen. */
export type LogEntry = { at: number } & (
  | {
      kind: 'event';
      namespace: string;
      app: string;
      type: string;
      reason: string;
      message: string;
      count: number;
      pod?: string;
    }
  | { kind: 'pod'; change: 'runs' | 'stops' | 'gone'; name: string; uid: string }
  | { kind: 'status'; app: string; phase: string; observed: number; state: Record<string, JsonObject> }
  | { kind: 'webhook'; key: string; body: string }
  | { kind: 'you'; text: string }
);

type Told<H> = H extends LogEntry ? Omit<H, 'at'> : never;

/** What is waited for did not happen in time. */
export class NotSeen extends Error {
  override readonly name = 'NotSeen';
}

/** What one waits for, and for how long. */
export interface Expected<Kind extends LogEntry['kind']> {
  what: string;
  kind: Kind;
  /** Epoch milliseconds; what happened earlier does not count. */
  since: number;
  withinMs: number;
  where(entry: Extract<LogEntry, { kind: Kind }>): boolean;
}

/** Everything that happened, in the order in which it was seen. */
export interface EventLog {
  record(entry: Told<LogEntry>): void;
  /** Calls back for each one from now on. */
  follow(listener: (entry: LogEntry) => void): void;
  /** The first one that fits, past ones included. Throws {@link NotSeen}. */
  seen<Kind extends LogEntry['kind']>(expected: Expected<Kind>): Promise<Extract<LogEntry, { kind: Kind }>>;
}

/** An empty record. */
export function createEventLog(): EventLog {
  const all: LogEntry[] = [];
  const listeners = new Set<(entry: LogEntry) => void>();
  return {
    record(told) {
      const entry = { ...told, at: Date.now() } as LogEntry;
      all.push(entry);
      for (const listener of listeners) listener(entry);
    },
    follow: (listener) => void listeners.add(listener),
    seen({ what, kind, since, withinMs, where }) {
      type Wanted = Extract<LogEntry, { kind: typeof kind }>;
      const fits = (one: LogEntry): one is Wanted => one.kind === kind && one.at >= since && where(one as Wanted);
      const past = all.find(fits);
      if (past !== undefined) return Promise.resolve(past);
      const { promise, resolve, reject } = Promise.withResolvers<Wanted>();
      const late = setTimeout(() => reject(new NotSeen(`${what}: not seen within ${withinMs / 1000} s`)), withinMs);
      const listener = (one: LogEntry): void => {
        if (fits(one)) resolve(one);
      };
      listeners.add(listener);
      return promise.finally(() => {
        clearTimeout(late);
        listeners.delete(listener);
      });
    },
  };
}
