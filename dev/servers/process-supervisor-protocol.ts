/** A process for the supervisor to run. */
export interface Command {
  /** Unique among the running ones. */
  name: string;
  file: string;
  args: string[];
  cwd: string;
  /** Both output streams are appended here. */
  logFile: string;
}

/** What the supervisor is asked to do. */
export type Order =
  | { do: 'run'; command: Command }
  | { do: 'signal'; name: string; signal: NodeJS.Signals }
  | { do: 'end'; name: string; graceMs: number }
  | { do: 'claim'; address: string; port: number }
  | { do: 'close'; graceMs: number };

/** An order as it travels; the answer carries the same id. */
export type Request = Order & { id: number };

/** What the supervisor says: an answer to a request, or that a process has ended. */
export type Report =
  | { kind: 'done'; id: number; pid?: number }
  | { kind: 'failed'; id: number; message: string }
  | { kind: 'exited'; name: string; code: number | null; signal: NodeJS.Signals | null };
