// Milliseconds inside, seconds at the edges: what users write, metrics, HTTP, Kubernetes.

export const msOf = (seconds: number): number => seconds * 1000;

export const secondsOf = (ms: number): number => ms / 1000;

/** For a sentence: `12 s`. */
export const inSeconds = (ms: number): string => `${Math.round(secondsOf(ms))} s`;
