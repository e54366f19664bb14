/**
 * What a workflow is told of search attributes when it does not know it: the names of those that Temporal has; null: all.
 *
 * @param usable undefined: not known yet
 * @param known what the workflow knows; undefined: all
 */
export const attributesTold = (
  usable: string[] | null | undefined,
  known: string[] | undefined,
): { attributes?: string[] | null } =>
  usable === undefined || String(usable) === String(known ?? null) ? {} : { attributes: usable };
