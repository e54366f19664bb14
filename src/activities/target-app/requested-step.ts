import type { Step } from '../../api/target-app/compile-action.ts';
import type { ActionOutcome, ActionRequest } from '../../domain/target-app/action.ts';
import { refused, unknown } from '../../domain/target-app/outcomes.ts';
import type { EffectiveSpec, TargetAppReader } from './reader.ts';

/** What a request asks for, as the TargetApp itself says it. */
export interface Wanted {
  step: Step;
  inForce: EffectiveSpec;
  /** Decide and report, act on nothing: as the spec says now, whatever the request says. */
  dryRun: boolean;
}

/** The rule of a spec that asks for the action of a request, or has it in its `onRecovery`: found by what it says. */
function wantedIn(inForce: EffectiveSpec, { content, action, recovery }: ActionRequest): Wanted | undefined {
  const { plan, spec } = inForce;
  for (const [index, rule] of plan.rules.entries()) {
    const at =
      recovery === undefined ? undefined : (rule.onRecovery ?? []).findIndex((step) => step.content === content);
    const written = spec?.actions?.[index];
    const step = at === undefined ? written : written?.onRecovery?.[at];
    const isSame = at === undefined ? rule.content === content : at >= 0;
    if (isSame && step?.action === action) return { step, inForce, dryRun: plan.dryRun || rule.dryRun };
  }
  return undefined;
}

/** What is said of a request that the TargetApp does not ask for any more, or never did. */
function unwanted({ now }: { now: EffectiveSpec }, request: ActionRequest, mayBeDone: boolean): ActionOutcome {
  if (now.generation === request.generation)
    return refused('NotInSpec', `the TargetApp has no rule ${request.rule} that asks for this ${request.action}`);
  const message = `generation ${request.generation} of the TargetApp is no longer in force, and the present one does not ask for it`;
  return mayBeDone
    ? unknown('Superseded', `${message}; an earlier attempt may have taken effect`)
    : refused('Superseded', message, { undone: true });
}

/**
 * What a request asks for, read from the TargetApp: Temporal alone cannot order anything. An edit that leaves the rule as
 * it is makes no difference; one that changes it ends what has not begun, while what has begun is finished as it was decided
 * for as long as that is remembered.
 */
export async function requestedStep(
  apps: Pick<TargetAppReader, 'present'>,
  request: ActionRequest,
  mayBeDone: boolean,
): Promise<Wanted | ActionOutcome> {
  const specs = await apps.present(request, request.generation);
  if (specs === undefined)
    return mayBeDone
      ? unknown('Deleted', 'the TargetApp was deleted; an earlier attempt may have taken effect')
      : refused('Deleted', 'the TargetApp was deleted', { undone: true });
  const { now, before } = specs;
  const earlier = mayBeDone && before?.generation === request.generation ? wantedIn(before, request) : undefined;
  return wantedIn(now, request) ?? earlier ?? unwanted(specs, request, mayBeDone);
}
