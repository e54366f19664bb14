import type { EventDraft } from '../events.ts';
import { failureKey } from '../failure.ts';
import type { CompiledSpec } from './compiled-spec.ts';
import { draft, on } from './event-text.ts';
import { podOf, type SubjectView } from './findings.ts';
import type { Memory, SubjectMemory } from './memory.ts';

/** Events for subjects that stopped or started to answer, and for a selector that matches nothing. */
export function reachabilityEvents(
  spec: CompiledSpec,
  memory: Memory,
  views: SubjectView[],
  failedBefore: Record<string, SubjectMemory['failure']>,
): EventDraft[] {
  const drafts = views.flatMap((view): EventDraft[] => {
    const before = failedBefore[view.subject];
    const pod = podOf(view);
    if (view.failure !== undefined && (before === undefined || failureKey(view.failure) !== failureKey(before)))
      return [
        draft({
          type: 'Warning',
          reason: view.failure.class,
          message: `${view.failure.message}${on(pod)}`,
          pod,
          sameAs: failureKey(view.failure),
        }),
      ];
    if (view.failure === undefined && before !== undefined)
      return [
        draft({ type: 'Normal', reason: 'Recovered', message: `answers again${on(pod)} after ${before.class}`, pod }),
      ];
    return [];
  });
  const wasEmpty = memory.conditions.SourceReachable?.reason === 'NoMatchingPods';
  if (spec.perPod && memory.matched === 0 && !wasEmpty && drafts.length === 0)
    drafts.push({
      type: 'Warning',
      reason: 'NoMatchingPods',
      message: 'no pod of this namespace matches spec.selector',
    });
  return drafts;
}
