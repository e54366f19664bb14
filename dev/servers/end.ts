/** The end of a command, by whoever asks for it first. */
export interface End {
  /** The exit code that was asked for; 130 by a signal. */
  code: Promise<number>;
  ask(code: number): void;
}

/** Listens to signals. The second time the process exits at once: a supervisor still cleans up. */
export function awaitEnd(): End {
  const { promise, resolve } = Promise.withResolvers<number>();
  let asked = false;
  const ask = (code: number): void => {
    if (asked) process.exit(code);
    asked = true;
    resolve(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ask(130));
  return { code: promise, ask };
}
