import { setCurrentDetails, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { nextPollAt } from '../domain/schedule.ts';
import type { Memory } from '../domain/target-app/memory.ts';
import { phaseOf } from '../domain/target-app/status.ts';
import type { RunState } from './run-state.ts';
import { attributesOf, standingOf } from './search-attributes.ts';

const maxShown = 10;

function subjectLines(memory: Memory): string[] {
  const lines = Object.values(memory.subjects).map(
    ({ name, failure }) =>
      `- \`${name}\`: ${failure === undefined ? 'answers' : `**${failure.class}** ${failure.message}`}`,
  );
  return lines.length > maxShown ? [...lines.slice(0, maxShown), `- … and ${lines.length - maxShown} more`] : lines;
}

function episodeLines(memory: Memory): string[] {
  return Object.entries(memory.rules).flatMap(([rule, { episodes }]) =>
    Object.entries(episodes).map(([subject, { since, firedAt }]) => {
      const where = memory.subjects[subject]?.name ?? 'the app';
      const fired = firedAt === undefined ? 'has not fired' : `fired at ${new Date(firedAt).toISOString()}`;
      return `- **${rule}** on \`${where}\` since ${new Date(since).toISOString()}, ${fired}`;
    }),
  );
}

/** What the Web UI shows as the workflow's current details: Markdown, in which a list needs an empty line before it. */
function detailsOf(run: RunState): string {
  const { memory } = run;
  const { plan } = memory;
  if (plan === undefined) return 'Not observed yet.';
  const ready = memory.conditions.Ready;
  const episodes = episodeLines(memory).slice(0, maxShown);
  const next = new Date(nextPollAt(run.app.uid, plan.intervalMs, Date.now())).toISOString();
  return [
    `**${phaseOf(memory, Date.now())}**: ${ready?.message ?? ''}`,
    `Polls \`${plan.endpoint}\` every ${plan.intervalMs / 1000} s; ${plan.rules.length} rules; generation ${plan.generation}. Next poll ${next}.`,
    subjectLines(memory).join('\n'),
    ...(episodes.length > 0 ? ['Open episodes:', episodes.join('\n')] : []),
  ].join('\n\n');
}

/**
 * Brings what the Web UI shows up to date. Search attributes cost an event, so only when they change; and one that is not
 * registered would fail the workflow task again and again, so only those that can be used.
 */
export function updateVisibility(run: RunState): void {
  setCurrentDetails(detailsOf(run));
  const phase = phaseOf(run.memory, Date.now());
  const ready = run.memory.conditions.Ready?.status === 'True';
  const { typedSearchAttributes: shown } = workflowInfo();
  const wanted = [...standingOf(phase, ready), ...attributesOf('TargetApp', run.app)];
  const changed = wanted.filter(
    ({ key, value }) => (run.attributes?.includes(key.name) ?? true) && shown.get(key) !== value,
  );
  if (changed.length > 0) upsertSearchAttributes(changed);
}
