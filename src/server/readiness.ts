import type { WatchScope } from '../clients/kubernetes/informer/informer.ts';
import type { CheckResult, Checks } from './checks.ts';

/** How long a watch may be interrupted before what it covers counts as not watched: as long as an API server takes to start. */
const patienceMs = 60_000;
const mostNamed = 5;

const listed = (sick: string[]): string => {
  const more = sick.length - mostNamed;
  return [...sick.slice(0, mostNamed), ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
};

const isUnlisted = ({ hasSynced, trouble }: WatchScope): boolean => !hasSynced && trouble === undefined;
const isDown = ({ hasSynced, trouble, stalenessMs }: WatchScope): boolean =>
  !hasSynced || (trouble !== undefined && stalenessMs > patienceMs);

/**
 * How the watches of one resource stand. Those that cannot work are named, and the others make up for them: taking the
 * operator away because of one namespace would help nobody. A first list that is under way is waited for.
 */
export function watchesCheck(scopes: WatchScope[]): CheckResult {
  const sick = scopes.filter(({ hasSynced, trouble }) => !hasSynced || trouble !== undefined);
  if (sick.length === 0) return { ok: true };
  const words = ({ namespace, trouble = 'not listed yet' }: WatchScope) =>
    namespace === undefined ? trouble : `${namespace}: ${trouble}`;
  const message = listed(sick.map(words));
  const works = !scopes.some(isUnlisted) && !scopes.every(isDown);
  return works ? { ok: true, degraded: true, message } : { ok: false, message };
}

/** The first of two results that is not simply well. */
export const worse = (first: CheckResult, second: CheckResult): CheckResult =>
  first.ok && !first.degraded ? second : first;

/** Checks of parts that work without each other: while one is well, those that are not leave the rest ready. */
export const apart = (checks: Checks): Checks => {
  const anyIsWell = () => Object.values(checks).some((check) => check().ok);
  const each = (check: Checks[string]) => (): CheckResult => {
    const result = check();
    return result.ok || !anyIsWell() ? result : { ...result, ok: true, degraded: true };
  };
  return Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, each(check)]));
};

/** Whether the workers are well, by state. One that is not is enough; those that are not are named by what they do. */
export function workersCheck(states: Record<string, string>, isWell: (state: string) => boolean): CheckResult {
  const unwell = Object.entries(states).filter(([, state]) => !isWell(state));
  if (unwell.length === 0) return { ok: true };
  return { ok: false, message: unwell.map(([name, state]) => `the worker of ${name} is ${state}`).join(', ') };
}
