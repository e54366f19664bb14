/** Whether an error of Temporal's API is one of these (gRPC status codes). */
export const hasCode = (error: unknown, ...codes: number[]): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && codes.some((code) => code === error.code);
