import { z } from 'zod';
import type { OutcomeStatus } from '../../domain/target-app/action.ts';
import { count, millis, resourceStatus, text, time } from '../common/status.ts';

const outcomeStatuses = ['dryRun', 'failed', 'refused', 'succeeded', 'unknown'] as const satisfies OutcomeStatus[];

/** What a rule did not do, and why. */
const Suppression = z
  .object({
    reason: text(64, 'One word in PascalCase, e.g. Cooldown.'),
    message: text(1024, 'A sentence for people.'),
    time: time('When.'),
  })
  .describe('The last time that this rule could have fired and did not, and why.');

const Outcome = z
  .object({
    status: z
      .enum(outcomeStatuses)
      .describe('How the action ended; unknown: it may or may not have happened, and is not repeated.'),
    reason: text(64, 'One word in PascalCase.'),
    message: text(1024, 'A sentence for people.'),
    actionId: text(256, "Identity of the action: the Idempotency-Key of a webhook, and its activity's id in Temporal."),
    time: time('When it ended.'),
  })
  .describe('How the last action of this rule ended.');

/** One open episode of a rule: kept here too, so that a lost Temporal database does not act twice on it. */
export const StatusEpisode = z
  .object({
    subject: text(253, 'UID of the pod, or app for the app as a whole.'),
    since: millis(
      'When the condition became true, in milliseconds since 1970; with the subject it is the identity of the episode.',
    ),
    firedAt: millis('When the rule last fired in it, in milliseconds since 1970; absent when it has not.').optional(),
    dry: z.boolean().optional().describe('It fired as a dry run only: nothing was done.'),
    pending: text(512, 'Identity of the action that was decided in it and has not ended.').optional(),
  })
  .describe('A time during which the condition of the rule holds for one subject.');
export type StatusEpisode = z.infer<typeof StatusEpisode>;

/** Why a rule cannot be judged. */
const Undecided = z
  .object({
    reason: text(64, 'FieldUnknown or TriggerTypeMismatch.'),
    message: text(1024, 'A sentence for people.'),
    since: time('Since when.'),
  })
  .describe('Why this rule cannot be judged on some pod that answers; absent when it can.');

/** An action that was decided and has to wait. */
const Waiting = z
  .object({
    actionId: text(512, "Identity of the action: the Idempotency-Key of a webhook, and its activity's id in Temporal."),
    reason: text(64, 'One word in PascalCase, e.g. DisruptionBudget.'),
    message: text(1024, 'A sentence for people.'),
    notBefore: time('When it is tried again.').optional(),
  })
  .describe('An action that was decided and has to wait.');

/** A webhook that its receiver did not take in time. */
export const StatusUndelivered = z
  .object({
    rule: text(63, 'Name of the rule that fired.'),
    actionId: text(512, 'Its Idempotency-Key; the update redeliver of the workflow takes it to send it again.'),
    firedAt: time('When the rule fired.'),
    time: time('When it was given up.'),
    attempts: count('How often it was sent.'),
    message: text(1024, 'A sentence for people.'),
  })
  .describe('A webhook that could not be delivered within its deliverFor.');
export type StatusUndelivered = z.infer<typeof StatusUndelivered>;

/** What became of one rule. */
export const RuleStatus = z
  .object({
    name: text(63, 'Name of the rule.'),
    digest: text(
      32,
      'Which trigger, action and parameters this is about: episodes are believed for that rule only.',
    ).optional(),
    activeSince: time('Since when its condition has held; absent when it does not.').optional(),
    lastFired: time('When it last fired.').optional(),
    lastOutcome: Outcome.optional(),
    lastSuppression: Suppression.optional(),
    undecided: Undecided.optional(),
    waiting: z.array(Waiting).max(5).optional().describe('Actions that were decided and have to wait, at most 5.'),
    episodes: z.array(StatusEpisode).max(1000).optional().describe('The open episodes, at most 1000.'),
  })
  .describe('What became of one rule.');
export type RuleStatus = z.infer<typeof RuleStatus>;

/** What KCO says about a TargetApp. */
export const TargetAppStatus = z
  .object({
    ...resourceStatus({
      phases: ['Failed', 'Initializing', 'Monitoring', 'Suspended'],
      phase: 'Where it stands: Initializing, Monitoring, Suspended, or Failed when the spec must be mended.',
      conditions:
        'Ready (it is being watched; the message says so when the last actions did not succeed), Reconciling and Stalled (as kstatus reads them), SourceReachable (the app answers), SourceHealthy (it answers with its state), RulesDecidable (every rule can be judged by what it answers), Subscribed (messages of its subscription make polls), Overdue (a poll is due and does not end; absent otherwise), ActionsHealthy (the last actions succeeded).',
      workflow: 'The Temporal workflow that watches this TargetApp.',
    }),
    pods: z
      .object({
        matched: count('Pods that the selector matches.').optional(),
        observed: count('Pods whose state is known.').optional(),
        unreachable: count('Pods that gave no usable answer at the last poll.').optional(),
        failing: count('Pods that answered the last poll, and not with their state.').optional(),
      })
      .optional()
      .describe('How many pods there are.'),
    state: z
      .record(z.string(), z.custom<unknown>())
      .optional()
      .describe('The scalar fields of the last state, by pod name; cut off where it would get too large.'),
    lastPoll: time(
      'When the app was asked by the last poll that had something to tell; those since then found it as it is here.',
    ).optional(),
    watchedBy: text(253, 'The replica of the operator that asked it then.').optional(),
    lastChange: time('When the state last changed.').optional(),
    pollRequestedAt: text(
      256,
      'The value of the annotation kco.local/poll-requested-at that was answered last.',
    ).optional(),
    rules: z
      .array(RuleStatus)
      .max(32)
      .optional()
      .meta({
        description: 'What became of each rule.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
    undelivered: z
      .array(StatusUndelivered)
      .max(20)
      .optional()
      .describe(
        'Webhooks that could not be delivered, the last 20: temporal workflow update execute --name redeliver sends them again.',
      ),
  })
  .describe('What KCO says about it; written by KCO only.');
export type TargetAppStatus = z.infer<typeof TargetAppStatus>;
