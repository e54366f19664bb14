import { KubeError } from './client.ts';

/** Answers of the API server that another attempt may turn into something else. */
const passing = new Set([408, 409, 429]);

/** Whether the API server has decided: trying the same again would be told the same. */
export const isPermanent = (error: unknown): error is KubeError =>
  error instanceof KubeError &&
  error.status !== undefined &&
  error.status >= 400 &&
  error.status < 500 &&
  !passing.has(error.status);
