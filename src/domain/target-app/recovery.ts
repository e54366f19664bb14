import type { Scope, SubjectView } from './findings.ts';
import { incidentOf, recoveryRequests } from './firing.ts';
import type { Incident } from './memory.ts';
import { wholeApp } from './observation.ts';
import type { Decision } from './rules.ts';
import type { RuleTurn } from './suppression.ts';

/** How long a replacement is waited for: one that does not come (the app was scaled down) leaves nothing that is ill. */
export const replacementMs = 60_000;
/** Incidents of pods that are gone; more than that are told together with the last ones. */
const maxOrphans = 100;

/** The decision that tells an incident's end. */
function recover(turn: RuleTurn, incident: Incident, view: SubjectView | undefined): Decision {
  const requests = recoveryRequests(turn, incident, view);
  turn.load.room -= requests.length;
  return {
    kind: 'recover',
    rule: turn.rule,
    subject: incident.subject,
    ...(incident.pod !== undefined && { pod: { uid: incident.subject, name: incident.pod } }),
    since: incident.since,
    requests,
  };
}

/** Ends the episode of one scope, whose condition does not hold any more. */
export function close(turn: RuleTurn, { subject }: Scope, views: SubjectView[]): Decision[] {
  const view = views.find((candidate) => candidate.subject === subject);
  const incident = incidentOf(turn.memory, subject);
  delete turn.memory.episodes[subject];
  return incident === undefined ? [] : [recover(turn, incident, view)];
}

/** Keeps the incidents of pods that are gone: their end is seen in what replaces them. */
export function keepOrphans({ memory, now }: RuleTurn, gone: string[]): void {
  const left = gone.flatMap((subject): Incident[] => {
    const incident = subject === wholeApp ? undefined : incidentOf(memory, subject);
    return incident === undefined ? [] : [{ ...incident, goneAt: incident.goneAt ?? now }];
  });
  if (left.length > 0) memory.orphans = [...(memory.orphans ?? []), ...left].slice(-maxOrphans);
}

/** What the pods there are say of one incident whose pod is gone. */
type Heir = { is: 'ill'; scope: Scope } | { is: 'well'; scope: Scope } | { is: 'absent' } | { is: 'unknown' };

function heirOf(orphan: Incident, fresh: Scope[], unseen: number, isAllWell: boolean, now: number): Heir {
  const later = fresh.filter(({ satisfied: [view] }) => (view?.seenAt ?? 0) > orphan.firedAt);
  const ill = later.find(({ finding }) => finding === true);
  if (ill !== undefined) return { is: 'ill', scope: ill };
  const well = later.find(({ finding }) => finding !== 'unknown');
  if (well !== undefined) return { is: 'well', scope: well };
  const isAbsent = later.length === 0 && unseen <= 0 && isAllWell && now - (orphan.goneAt ?? now) >= replacementMs;
  return isAbsent ? { is: 'absent' } : { is: 'unknown' };
}

/**
 * Ends the incidents of pods that are gone, or lets them go on in a replacement that came up no better. A replacement
 * is a pod that was first seen after the rule had fired; each stands for one.
 *
 * @param scopes one for each pod, in which `satisfied` has the pod itself, whatever the finding
 * @param matched pods that the selector matches, seen or not
 */
export function settleOrphans(turn: RuleTurn, scopes: Scope[], matched: number): Decision[] {
  const { memory, now } = turn;
  const there = new Set(scopes.map(({ subject }) => subject));
  const heirs = new Set((memory.heirs ?? []).filter((subject) => there.has(subject)));
  const isAllWell = scopes.length > 0 && scopes.every(({ finding }) => finding === false);
  const kept: Incident[] = [];
  const decisions: Decision[] = [];
  for (const orphan of memory.orphans ?? []) {
    const fresh = scopes.filter(({ subject }) => !heirs.has(subject));
    const heir = heirOf(orphan, fresh, matched - scopes.length, isAllWell, now);
    if (heir.is === 'unknown') kept.push(orphan);
    else if (heir.is === 'absent') decisions.push(recover(turn, orphan, undefined));
    else {
      heirs.add(heir.scope.subject);
      if (heir.is === 'ill') inherit(turn, heir.scope.subject, orphan);
      else decisions.push(recover(turn, orphan, heir.scope.satisfied[0]));
    }
  }
  memory.orphans = kept;
  memory.heirs = [...heirs];
  if (kept.length === 0) delete memory.orphans;
  if (heirs.size === 0) delete memory.heirs;
  return decisions;
}

/** The episode of a replacement that is ill from the start; opened when its scope is advanced. */
function inherit({ memory, now }: RuleTurn, subject: string, orphan: Incident): void {
  const episode = memory.episodes[subject] ?? { since: now, baseline: true };
  memory.episodes[subject] = { ...episode, inherited: orphan };
}
