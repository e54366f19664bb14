import { z } from 'zod';

/** What one call of a restart leaves for the next: between two pods nothing is held but this. Times are epoch milliseconds. */
export const RestartProgress = z.object({
  /** For `pods: all`: creation of the newest pod that was there at the first look; younger ones are left alone. */
  since: z.number().optional(),
  /** Names of the pods that were restarted: the last ones. */
  names: z.array(z.string().max(253)).max(10),
  /** How many were restarted. */
  count: z.int(),
  /** The restart that is to settle before the next; absent where nobody replaces the pod. */
  last: z
    .object({
      owner: z.object({ apiVersion: z.string(), kind: z.string(), name: z.string(), uid: z.string() }),
      newest: z.number(),
      count: z.int(),
      at: z.number(),
    })
    .optional(),
});
export type RestartProgress = z.infer<typeof RestartProgress>;
