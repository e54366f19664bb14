import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { ResourceMemory } from '../domain/resource-memory.ts';
import type { RunState } from './run-state.ts';
import { attributesOf, standingOf } from './search-attributes.ts';

/**
 * Brings what the Web UI shows up to date. Search attributes cost an event, so only when they change; and one that is not
 * registered would fail the workflow task again and again, so only those that can be used.
 */
export function updateVisibility<M extends ResourceMemory>({ kind, app, memory, attributes }: RunState<M>): void {
  const now = Date.now();
  setCurrentDetails(kind.detailsOf(memory, now, app.uid));
  const ready = memory.conditions.Ready?.status === 'True';
  const { typedSearchAttributes: shown } = workflowInfo();
  const wanted = [...standingOf(memory.phase ?? '', ready), ...attributesOf(kind.kind, app)];
  const changed = wanted.filter(
    ({ key, value }) => (attributes?.includes(key.name) ?? true) && shown.get(key) !== value,
  );
  if (changed.length > 0) upsertSearchAttributes(changed);
}
