import { nextPollAt } from '../schedule.ts';
import { iso, secondsOf } from '../seconds.ts';
import type { Memory } from './memory.ts';

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

/** What the Web UI shows of a TargetApp as its workflow's current details, `memory.phase` being up to date: Markdown, in which a list needs an empty line before it. */
export function detailsOf(memory: Memory, now: number, uid: string): string {
  const { plan: spec, phase } = memory;
  if (spec === undefined) return 'Not observed yet.';
  const episodes = episodeLines(memory).slice(0, maxShown);
  const isPolled = phase === 'Initializing' || phase === 'Monitoring';
  const next = isPolled ? ` Next poll ${iso(nextPollAt(uid, spec.intervalMs, now))}.` : '';
  return [
    `**${phase}**: ${memory.conditions.Ready?.message ?? ''}`,
    `Polls \`${spec.endpoint}\` every ${secondsOf(spec.intervalMs)} s; ${spec.rules.length} rules; generation ${spec.generation}.${next}`,
    subjectLines(memory).join('\n'),
    ...(episodes.length > 0 ? ['Open episodes:', episodes.join('\n')] : []),
  ].join('\n\n');
}
