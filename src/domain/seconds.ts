// Milliseconds inside, seconds at the edges: what users write, metrics, HTTP, Kubernetes.

export const msOf = (seconds: number): number => seconds * 1000;

export const secondsOf = (ms: number): number => ms / 1000;

/** For a sentence: `12 s`. */
export const inSeconds = (ms: number): string => `${Math.round(secondsOf(ms))} s`;

/** RFC 3339 to the second, as Kubernetes writes times. */
export const iso = (ms: number): string =>
  new Date(msOf(Math.floor(secondsOf(ms)))).toISOString().replace('.000Z', 'Z');
