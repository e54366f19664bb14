import type { SpecProblem } from '../../../domain/spec-problem.ts';
import type { RestartPodParameters } from '../action-parameters.ts';
import type { Recovery, Rule } from '../rule.ts';
import { quorumOf } from '../trigger.ts';

/** Why a rule about an app that is asked as a whole says which pods it restarts. */
export const restartTriggeringBesideUrl =
  'must be all where graphqlEndpoint is a URL, which tells of no single pod: write parameters: {pods: all}, which restarts every pod of the selector, one after the other, or a path such as /graphql as graphqlEndpoint, for a rule about each pod';
/** Why a rule that fires for each pod does not restart all of them. */
export const restartEachAll =
  'must not be all where the rule fires for each pod, since every one of n sick pods would restart all of them: add a quorum such as pods: any to the trigger, or leave out parameters.pods';

/** Which pods one action would restart, when that cannot be what is meant. */
function podsProblem(
  { action, parameters }: Pick<Recovery | Rule, 'action' | 'parameters'>,
  { trigger }: Rule,
  perPod: boolean,
): string | undefined {
  if (action !== 'restart_pod') return undefined;
  const { pods } = parameters as RestartPodParameters;
  if (!perPod) return pods === 'all' ? undefined : restartTriggeringBesideUrl;
  return pods === 'all' && quorumOf(trigger.pods) === 'each' ? restartEachAll : undefined;
}

/**
 * What is wrong with the pods that a rule restarts, by itself or at the end of an episode.
 *
 * @param at where the rule stands, e.g. `spec.actions[2]`
 * @param perPod whether the endpoint is a path that each pod is asked for
 */
export const restartProblems = (rule: Rule, at: string, perPod: boolean): SpecProblem[] =>
  [
    { field: at, message: podsProblem(rule, rule, perPod) },
    ...(rule.onRecovery ?? []).map((step, index) => ({
      field: `${at}.onRecovery[${index}]`,
      message: podsProblem(step, rule, perPod),
    })),
  ].flatMap(({ field, message }) => (message === undefined ? [] : [{ field: `${field}.parameters.pods`, message }]));
