import { isJsonObject, type Json } from '../../../domain/json.ts';
import { isRepeatablePatch } from '../../../domain/json-patch.ts';
import type { PatchResourceParameters } from '../action-parameters.ts';

const isOperation = (operation: Json): boolean =>
  isJsonObject(operation) && typeof operation['op'] === 'string' && typeof operation['path'] === 'string';

/** What is wrong with the patch of a `patch_resource`; undefined when nothing is. */
export function patchProblem({ patch, patchType }: PatchResourceParameters): string | undefined {
  if (patchType !== 'json')
    return isJsonObject(patch)
      ? undefined
      : `must be an object for patchType ${patchType}: write the fields to change, or set patchType: json`;
  if (!Array.isArray(patch) || patch.length === 0 || !patch.every(isOperation))
    return 'must be a list of operations for patchType json, e.g. [{op: replace, path: /spec/paused, value: true}]';
  return isRepeatablePatch(patch)
    ? undefined
    : 'puts something into a list, takes it out by its index, or moves it, without a test: sent twice it would do so twice. Add a test operation, or use patchType apply';
}
