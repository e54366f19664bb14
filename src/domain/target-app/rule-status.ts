import type { JsonObject } from '../json.ts';
import { iso } from '../seconds.ts';
import { legible } from '../text.ts';
import type { CompiledRule } from './compiled-spec.ts';
import type { Episode, Memory, PendingAction, RuleMemory, Trouble } from './memory.ts';

/** Longest message of a rule that a status shows. */
const maxMessage = 512;
/** Waiting actions that are shown of one rule. */
const maxPendingShown = 5;
/** How long the trouble of a condition that is true for a moment only is remembered: it has no episode to end with. */
export const edgeTroubleMs = 3_600_000;

const shortly = (message: string): string => legible(message, maxMessage);

const firedFirst = (episodes: [string, Episode][]): [string, Episode][] =>
  episodes.toSorted(([, a], [, b]) => Number(b.firedAt !== undefined) - Number(a.firedAt !== undefined));

/** One episode; milliseconds, not RFC 3339: these times are identities. */
const episodeStatus = (subject: string, { since, firedAt, dry }: Episode, pending: PendingAction[]): JsonObject => {
  const open = pending.find(({ undo }) => undo?.subject === subject && undo.since === since);
  return {
    subject,
    since,
    ...(firedAt !== undefined && { firedAt }),
    ...(dry && { dry }),
    ...(open !== undefined && { pending: open.request.id }),
  };
};

/** An action that has to wait, and until when. */
const pendingStatus = ({ request, reason, message, notBefore }: PendingAction): JsonObject => ({
  actionId: request.id,
  reason: reason ?? 'Decided',
  message: shortly(message ?? 'its turn has not come yet'),
  ...(reason !== undefined && { notBefore: iso(notBefore) }),
});

const lastOf = ({ lastOutcome, lastSuppression }: RuleMemory): JsonObject => ({
  ...(lastOutcome && {
    lastOutcome: {
      status: lastOutcome.status,
      reason: lastOutcome.reason,
      message: shortly(lastOutcome.message),
      actionId: lastOutcome.actionId,
      time: iso(lastOutcome.at),
    },
  }),
  ...(lastSuppression && {
    lastSuppression: {
      reason: lastSuppression.reason,
      message: shortly(lastSuppression.message),
      time: iso(lastSuppression.at),
    },
  }),
});

/** What `status.rules[]` says of one rule. */
export function ruleStatus(
  rule: CompiledRule,
  memory: RuleMemory,
  all: PendingAction[],
  maxEpisodes: number,
): JsonObject {
  const episodes = Object.entries(memory.episodes);
  const pending = all.filter(({ key }) => key === rule.key);
  const waiting = pending.filter(({ reason }) => reason !== undefined).slice(0, maxPendingShown);
  const last = memory.firings.at(-1);
  return {
    name: rule.name,
    digest: `${rule.question}-${rule.content}`,
    ...(episodes.length > 0 && { activeSince: iso(Math.min(...episodes.map(([, { since }]) => since))) }),
    ...(last !== undefined && { lastFired: iso(last.at) }),
    ...(memory.undecided && {
      undecided: {
        ...memory.undecided,
        message: shortly(memory.undecided.message),
        since: iso(memory.undecided.since),
      },
    }),
    ...lastOf(memory),
    ...(waiting.length > 0 && { waiting: waiting.map(pendingStatus) }),
    ...(episodes.length > 0 && {
      episodes: firedFirst(episodes)
        .slice(0, maxEpisodes)
        .map(([subject, episode]) => episodeStatus(subject, episode, pending)),
    }),
  };
}

/**
 * Whether the status of a rule says something else though nothing was decided: what holds it back was noted again, because it
 * is another reason or the rule has fired since; or it can be judged again, or no longer.
 */
export function isNotedAnew(
  before: RuleMemory | undefined,
  { lastSuppression, undecided, firings }: RuleMemory,
): boolean {
  if (undecided !== before?.undecided) return true;
  const [was, is] = [before?.lastSuppression, lastSuppression];
  if (was?.reason !== is?.reason) return true;
  return is !== was && (firings.at(-1)?.at ?? 0) > (was?.at ?? 0);
}

/** What `status.undelivered` says: the webhooks that were not taken in time, and what each would have told. */
export const undeliveredStatus = ({ undelivered }: Memory): JsonObject[] =>
  undelivered.map(({ request, at, calls, message }) => ({
    rule: request.rule,
    actionId: request.id,
    firedAt: iso(request.at),
    time: iso(at),
    attempts: calls,
    message: shortly(message),
  }));

/** Something that keeps a rule's actions from doing what they should; a lower rank is worse. */
interface Complaint {
  rank: number;
  reason: string;
  message: string;
  at: number;
}

const ranks: Record<Trouble['status'], number> = { failed: 0, unknown: 1, refused: 2, succeeded: 9, dryRun: 9 };
const stoppedRank = 3;
const delayedRank = 4;

const complaintOf = ({ status, reason, message, at }: Trouble): Complaint => ({
  rank: ranks[status],
  reason,
  message,
  at,
});

/** What went wrong in episodes that are not over, be it in this pod or in the one that it replaces. */
const troublesOf = ({ episodes, orphans = [], trouble }: RuleMemory, now: number): Trouble[] =>
  [
    ...Object.values(episodes).flatMap(({ trouble: own, inherited }) => [own, inherited?.trouble]),
    ...orphans.map((orphan) => orphan.trouble),
    ...(trouble !== undefined && now - trouble.at < edgeTroubleMs ? [trouble] : []),
  ].filter((each) => each !== undefined);

/** A rule that has fired as often as it may, while its condition still holds. */
function stopped({ episodes, firings, lastSuppression }: RuleMemory): Complaint[] {
  const isHeldBack = Object.values(episodes).some(({ suppressed }) => suppressed?.includes('MaxFirings'));
  if (!isHeldBack || lastSuppression?.reason !== 'MaxFirings') return [];
  if ((firings.at(-1)?.at ?? 0) > lastSuppression.at) return [];
  const { reason, message, at } = lastSuppression;
  return [{ rank: stoppedRank, reason, message: `it has stopped: ${message}`, at }];
}

/** Webhooks that are not taken for now. */
const delayed = (pending: PendingAction[], key: string): Complaint[] =>
  pending
    .filter((action) => action.key === key && action.plan.deliverForMs !== undefined && action.waits > 0)
    .map(({ reason = '', message = '', notBefore }) => ({
      rank: delayedRank,
      reason,
      message: `not delivered yet, tried again at ${iso(notBefore)}: ${message}`,
      at: notBefore,
    }));

/** What is wrong with the actions of the rules as they are now, the worst first: `[rule name, what]`. */
export function complaints({ plan: spec, rules, pending }: Memory, now: number): [string, Complaint][] {
  const all = (spec?.rules ?? []).flatMap(({ key, name }): [string, Complaint][] => {
    const memory = rules[key];
    if (memory === undefined) return [];
    const found = [...troublesOf(memory, now).map(complaintOf), ...stopped(memory), ...delayed(pending, key)];
    return found.map((complaint) => [name, complaint]);
  });
  return all.toSorted(([, a], [, b]) => a.rank - b.rank || b.at - a.at);
}
