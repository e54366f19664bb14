import { condition } from '@temporalio/workflow';
import type { ActionOutcome, ActionRequest } from '../domain/action.ts';
import { withEvents } from '../domain/decide.ts';
import { newRuleMemory } from '../domain/memory.ts';
import type { RulePlan } from '../domain/plan.ts';
import type { Decision } from '../domain/rules.ts';
import { conditionsOf } from '../domain/status.ts';
import { firedText, outcomeEvent } from '../domain/tell.ts';
import { runAction } from './activities.ts';
import { outcomeOfFailure } from './outcome.ts';
import { report } from './report.ts';
import type { Run } from './run.ts';

/** How long an action waits until the status says that it fires; a restart cannot be done without the API server anyway. */
const mirrorPatience = '5 seconds';

/** Starts an action beside the polling. Actions on one pod run one after the other, in the order of the rules. */
export function act(run: Run, { rule, request: fired }: Extract<Decision, { kind: 'fire' }>): void {
  const request: ActionRequest = { ...run.app, ...fired };
  const lane = laneOf(rule, request);
  const before = run.lanes.get(lane) ?? Promise.resolve();
  const action = before
    .then(() => perform(run, rule, request))
    .catch(() => undefined) // cancelled with the whole workflow, which says so itself
    .finally(() => {
      run.actions.delete(request.id);
      if (run.lanes.get(lane) === action) run.lanes.delete(lane);
    });
  run.actions.set(request.id, action);
  run.lanes.set(lane, action);
}

/** What an action must wait for: another one on the same pod. What touches no pod waits for nothing. */
const laneOf = ({ onPods }: RulePlan, { pods, id }: ActionRequest): string =>
  onPods ? `pods/${pods.map(({ uid }) => uid).join()}` : id;

async function perform(run: Run, rule: RulePlan, request: ActionRequest): Promise<void> {
  const version = run.version;
  // First the status says that it fires, then it does: a lost Temporal database then does not act twice.
  await condition(() => run.reportedVersion >= version, mirrorPatience);
  settle(run, rule, request, await outcomeOf(rule, request));
}

async function outcomeOf(rule: RulePlan, request: ActionRequest): Promise<ActionOutcome> {
  try {
    return await runAction(rule, request, firedText(rule, request));
  } catch (error) {
    return outcomeOfFailure(error, rule);
  }
}

function settle(run: Run, rule: RulePlan, request: ActionRequest, outcome: ActionOutcome): void {
  const now = Date.now();
  const rules = { ...run.memory.rules };
  const { output: _, ...told } = outcome;
  rules[rule.name] = {
    ...(rules[rule.name] ?? newRuleMemory()),
    lastOutcome: { ...told, actionId: request.id, at: now },
  };
  const memory = withEvents({ ...run.memory, rules }, [outcomeEvent(request, outcome)], now);
  run.memory = { ...memory, conditions: conditionsOf(memory, now) };
  run.version += 1;
  report(run);
}
