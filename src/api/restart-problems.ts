import type { SpecProblem } from '../domain/plan.ts';
import type { RestartPodParameters } from './action-parameters.ts';
import type { Rule } from './rule.ts';
import { quorumOf } from './trigger.ts';

/** Why a rule about an app that is asked as a whole says which pods it restarts. */
export const restartTriggeringBesideUrl =
  'must be all where graphqlEndpoint is a URL, which tells of no single pod: write parameters: {pods: all}, which restarts every pod of the selector, one after the other, or a path such as /graphql as graphqlEndpoint, for a rule about each pod';
/** Why a rule that fires for each pod does not restart all of them. */
export const restartEachAll =
  'must not be all where the rule fires for each pod, since every one of n sick pods would restart all of them: add a quorum such as pods: any to the trigger, or leave out parameters.pods';

/**
 * Which pods a rule that restarts would restart, when that cannot be what is meant.
 *
 * @param at where the rule stands, e.g. `spec.actions[2]`
 * @param perPod whether the endpoint is a path that each pod is asked for
 */
export function restartProblems({ action, parameters, trigger }: Rule, at: string, perPod: boolean): SpecProblem[] {
  if (action !== 'restart_pod') return [];
  const { pods } = parameters as RestartPodParameters;
  const field = `${at}.parameters.pods`;
  if (!perPod) return pods === 'all' ? [] : [{ field, message: restartTriggeringBesideUrl }];
  return pods === 'all' && quorumOf(trigger.pods) === 'each' ? [{ field, message: restartEachAll }] : [];
}
