import { condition } from '@temporalio/workflow';
import type { ActionOutcome, ActionRequest, ActionResult } from '../domain/action.ts';
import type { Json } from '../domain/json.ts';
import { type Memory, newRuleMemory } from '../domain/memory.ts';
import { withEvents } from '../domain/outbox.ts';
import type { RulePlan } from '../domain/plan.ts';
import type { Decision } from '../domain/rules.ts';
import { conditionsOf, isSuspended } from '../domain/status.ts';
import { firedText, outcomeEvent } from '../domain/tell.ts';
import { decisions as counters, runAction } from './activities.ts';
import { outcomeOfFailure } from './outcome.ts';
import { report } from './report.ts';
import type { Run } from './run.ts';

/** How long an action waits until the status says that it fires; a restart cannot be done without the API server anyway. */
const mirrorPatience = '5 seconds';
/** The longest wait until an action that had to wait is tried again. */
const maxWaitMs = 30_000;
/** Actions of one TargetApp that may be under way: far below what Temporal lets a workflow have pending. */
const maxUnderWay = 500;

/** A firing on its way to becoming an action. */
interface Firing {
  rule: RulePlan;
  subject: string;
  request: ActionRequest;
}

/**
 * Starts an action beside the polling. Actions on one pod run one after the other, in the order of the rules; a rule that
 * fires again while its last action on that pod still waits for its turn is told to be busy, so no queue grows.
 */
export function act(run: Run, { rule, subject, request: fired }: Extract<Decision, { kind: 'fire' }>): void {
  const firing: Firing = { rule, subject, request: { ...run.app, ...fired } };
  const { id } = firing.request;
  const lanes = lanesOf(firing);
  const turn = `${rule.name}/${lanes.join()}`;
  if (run.actions.size >= maxUnderWay || run.waiting.has(turn)) {
    settle(run, firing, {
      status: 'refused',
      reason: 'Busy',
      message: 'an earlier action of this rule has not had its turn yet',
    });
    return;
  }
  const before = Promise.all(lanes.map((lane) => run.lanes.get(lane)));
  if (lanes.some((lane) => run.lanes.has(lane))) run.waiting.add(turn);
  const action = before
    .then(() => {
      run.waiting.delete(turn);
      return perform(run, firing);
    })
    .catch(() => undefined) // cancelled with the whole workflow, which says so itself
    .finally(() => {
      run.actions.delete(id);
      for (const lane of lanes) if (run.lanes.get(lane) === action) run.lanes.delete(lane);
    });
  run.actions.set(id, action);
  for (const lane of lanes) run.lanes.set(lane, action);
}

/** What an action must wait for: others on the same pods. What touches no pod waits for nothing. */
const lanesOf = ({ rule, request: { pods } }: Firing): string[] =>
  rule.onPods ? (pods.length > 0 ? pods.map(({ uid }) => uid) : ['any pod']) : [];

async function perform(run: Run, firing: Firing): Promise<void> {
  const version = run.version;
  // First the status says that it fires, then it does: a lost Temporal database then does not act twice.
  await condition(() => run.reportedVersion >= version, mirrorPatience, {
    summary: `${firing.rule.name}: until the status says so`,
  });
  settle(run, firing, await outcomeOf(run, firing));
}

/** Runs the action, and again whenever it asked to wait, for as long as all its attempts together may take. */
async function outcomeOf(run: Run, { rule, request }: Firing): Promise<ActionOutcome> {
  const giveUpAt = Date.now() + rule.timeoutMs * (rule.repeatable ? rule.retries + 1 : 1);
  let progress: Json | undefined;
  for (let waits = 0; ; waits += 1) {
    const { plan, held } = run.memory;
    if (isSuspended(plan, held, Date.now()))
      return { status: 'refused', reason: 'Suspended', message: 'suspended before its turn came' };
    const result = await attempted(
      rule,
      waits === 0 ? request : { ...request, waits, ...(progress !== undefined && { progress }) },
    );
    if (result.status !== 'waiting') return result;
    const { reason, message, afterMs } = result;
    progress = result.progress;
    const waitMs = Math.min(maxWaitMs, Math.round(afterMs * 1.5 ** waits));
    // A TargetApp that is gone asks for nothing any more.
    if (run.deleted || Date.now() + waitMs > giveUpAt) return { status: 'failed', reason, message };
    await condition(() => run.deleted, waitMs, { summary: `${rule.name}: ${reason}` });
  }
}

async function attempted(rule: RulePlan, request: ActionRequest): Promise<ActionResult> {
  try {
    return await runAction(rule, request, firedText(rule, request));
  } catch (error) {
    return outcomeOfFailure(error, rule);
  }
}

/** Whether nothing was done because the TargetApp had been edited: the rule, if it still stands, has not fired then. */
const isUndone = ({ status, reason }: ActionOutcome): boolean => status === 'refused' && reason === 'Superseded';

/** The memory of an episode's firing taken back. */
function unfired(memory: Memory, { rule, subject }: Firing): Memory['rules'] {
  const known = memory.rules[rule.name];
  const episode = known?.episodes[subject];
  if (known === undefined || episode === undefined) return memory.rules;
  const { firedAt: _, ...open } = episode;
  return { ...memory.rules, [rule.name]: { ...known, episodes: { ...known.episodes, [subject]: open } } };
}

function settle(run: Run, firing: Firing, outcome: ActionOutcome): void {
  const { rule, request } = firing;
  const now = Date.now();
  counters.ended(rule.action, outcome.status, (now - request.at) / 1000);
  const rules = isUndone(outcome) ? { ...unfired(run.memory, firing) } : { ...run.memory.rules };
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
