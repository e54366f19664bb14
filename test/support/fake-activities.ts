import { createHash } from 'node:crypto';
import { CompleteAsyncError, Context } from '@temporalio/activity';
import type { InjectedSinks } from '@temporalio/worker';
import { HeldTurns } from '../../src/activities/held-turns.ts';
import type { Activities } from '../../src/activities/index.ts';
import type { Recorded } from '../../src/activities/record-events.ts';
import type { Reported } from '../../src/activities/report-status.ts';
import { diff } from '../../src/activities/target-app/diff.ts';
import { DuePolls } from '../../src/activities/target-app/due-polls.ts';
import { Subscriptions } from '../../src/activities/target-app/subscriptions.ts';
import { isTurn } from '../../src/activities/target-app/turn.ts';
import { createTurns } from '../../src/activities/target-app/turns.ts';
import { Wheel } from '../../src/activities/target-app/wheel.ts';
import { createTell } from '../../src/activities/tell.ts';
import { withHeartbeat } from '../../src/activities/with-heartbeat.ts';
import { type ActionName, actionNames } from '../../src/api/target-app/actions.ts';
import { createOpenTurns, type OpenTurns } from '../../src/clients/temporal/open-turns.ts';
import type { EventRecord } from '../../src/domain/events.ts';
import { type Failure, failureKey } from '../../src/domain/failure.ts';
import type { Json, JsonObject } from '../../src/domain/json.ts';
import type { ActionOutcome, ActionRequest, ActionResult } from '../../src/domain/target-app/action.ts';
import type { CompiledRule, CompiledSpec } from '../../src/domain/target-app/compiled-spec.ts';
import type { FiredEpisode, Observation, ObserveInput, Reading } from '../../src/domain/target-app/observation.ts';
import { isSuspended } from '../../src/domain/target-app/suspension.ts';
import type { EventSinks } from '../../src/workflows/activities.ts';
import type { DecisionSinks } from '../../src/workflows/target-app/activities.ts';
import { identified } from './domain.ts';

/** A pod as it would answer. */
export interface FakePod {
  name: string;
  state: Json;
  failure?: Failure;
}

/** Something that took effect, in the order in which it did. */
export type Effect =
  | { kind: 'look'; at: number; input: ObserveInput; told: Observation }
  | { kind: 'event'; at: number; record: EventRecord }
  | { kind: 'status'; at: number; status: JsonObject }
  | { kind: 'begin'; at: number; request: ActionRequest }
  | { kind: 'end'; at: number; request: ActionRequest };

/**
 * What a test does to an activity: called with how often it was called before. It delays what the activity does (of a
 * look: its answer, not what it sees) and may throw instead.
 */
type Fault<Input> = (input: Input, calls: number) => unknown;

/** Faults to inject, by activity. An action may answer for itself. */
interface Faults {
  observe?: Fault<ObserveInput>;
  /** May return what was left (`Recorded`); without it all are recorded. */
  recordEvents?: Fault<EventRecord[]>;
  /** May return why the status is refused (`Reported`). */
  reportStatus?: Fault<JsonObject>;
  /** Of an action; what it returns is the outcome, else the action succeeds. */
  action?(request: ActionRequest, calls: number): Promise<ActionResult | undefined>;
  /** Whether the attempt is lost with its worker: no heartbeat, no end. */
  loses?(request: ActionRequest): boolean;
}

/** One TargetApp's surroundings in memory: what there is to see, what was done, and what goes wrong. */
export interface FakeActivities {
  plan: CompiledSpec;
  /** By uid. */
  pods: Map<string, FakePod>;
  isDeleted: boolean;
  /** What the status of an earlier execution tells. */
  mirror: FiredEpisode[];
  pollRequested?: string;
  /** The search attributes that Temporal has; null: all, absent: nothing is told of them. */
  attributes?: string[] | null;
  faults: Faults;
  /** Everything that took effect. */
  ledger: Effect[];
  activities: Activities;
  sinks: InjectedSinks<DecisionSinks & EventSinks>;
  /** What the sinks counted, in order: `fired restart_pod`, `suppressed Cooldown`. */
  counted: string[];
  /** What happened of one kind. */
  all<Kind extends Effect['kind']>(kind: Kind): Extract<Effect, { kind: Kind }>[];
  /** The reasons of the Events that were recorded, in order. */
  reasons(): string[];
  /** Makes a pod (by default the first) answer another state. */
  says(state: Json, uid?: string): void;
}

const hashOf = (state: Json): string =>
  createHash('sha256').update(JSON.stringify(state)).digest('base64url').slice(0, 12);

/** A realistic uid, the same for the same number. */
export const uidOf = (n: number): string => {
  const hex = createHash('sha256').update(String(n)).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
};

export const health = (value: string): Json => ({ application: { health: value, tasks: 3 } });

/** A rule that restarts an unhealthy pod, with some of it replaced. */
export const restartRule = (replaced: Partial<CompiledRule> = {}): CompiledRule =>
  identified({
    name: 'restart-unhealthy',
    action: 'restart_pod',
    trigger: { field: 'application.health', condition: 'equals', value: 'unhealthy' },
    pods: 'each',
    forMs: 0,
    cooldownMs: 0,
    dryRun: false,
    timeoutMs: 60_000,
    retries: 3,
    repeatable: true,
    onPods: true,
    ...replaced,
  });

/** A plan with a poll every 200 ms, with some of it replaced; its digest says what it is. */
export function planWith(replaced: Partial<CompiledSpec> = {}): CompiledSpec {
  const plan = {
    generation: 1,
    endpoint: '/graphql',
    source: 'a1b2c3d4',
    perPod: true,
    intervalMs: 200,
    timeoutMs: 10_000,
    queriesAtOnce: 64,
    heartbeatMs: 300_000,
    suspend: false,
    dryRun: false,
    onUnknown: 'keep' as const,
    ignoreFields: [],
    events: [],
    rules: [],
    problems: [],
    ...replaced,
  };
  return { ...plan, digest: hashOf(plan as unknown as Json).slice(0, 8) };
}

const succeeded: ActionOutcome = { status: 'succeeded', reason: 'Done', message: 'done' };

function readingOf(subject: string, { name, state, failure }: FakePod, known = ''): Reading[] {
  const [knownHash, knownFailure] = known.split('!');
  if (failure !== undefined) return knownFailure === failureKey(failure) ? [] : [{ subject, name, failure }];
  const hash = hashOf(state);
  if (hash === knownHash && knownFailure === undefined) return [];
  return [{ subject, name, hash, ...(hash !== knownHash && { state }) }];
}

/** What the observing activity promises, over pods in memory. */
function lookAt(fakes: FakeActivities, input: ObserveInput): Observation {
  if (fakes.isDeleted) return { matched: 0, deleted: true };
  const { plan, pods, mirror, pollRequested, attributes } = fakes;
  const told: Observation = {
    matched: pods.size,
    ...(plan.digest !== input.plan && { plan }),
    ...(input.plan === undefined && mirror.length > 0 && { mirror }),
    ...(pollRequested !== undefined && pollRequested !== input.pollRequested && { pollRequested }),
    ...(attributes !== undefined && String(attributes) !== String(input.attributes ?? null) && { attributes }),
  };
  if (plan.problems.length > 0 || isSuspended(plan, input.held, Date.now())) return told;
  const gone = Object.keys(input.known).filter((uid) => !pods.has(uid));
  const readings = [...pods].flatMap(([uid, pod]) => readingOf(uid, pod, input.known[uid]));
  return { ...told, ...(gone.length > 0 && { gone }), ...(readings.length > 0 && { readings }) };
}

function activitiesOf(fakes: FakeActivities): Activities {
  const calls = { observe: 0, recordEvents: 0, reportStatus: 0 };
  const actionCalls = new Map<string, number>();
  const note = (happening: Effect) => fakes.ledger.push(happening);
  const act = async (request: ActionRequest) => {
    const before = actionCalls.get(request.id) ?? 0;
    actionCalls.set(request.id, before + 1);
    note({ kind: 'begin', at: Date.now(), request });
    if (fakes.faults.loses?.(request)) return await Context.current().cancelled;
    return withHeartbeat(async () => {
      const outcome = (await fakes.faults.action?.(request, before)) ?? succeeded;
      note({ kind: 'end', at: Date.now(), request });
      return outcome;
    });
  };
  const look = async (input: ObserveInput): Promise<Observation> => {
    const at = Date.now();
    const told = lookAt(fakes, input);
    const before = calls.observe++;
    await fakes.faults.observe?.(input, before);
    note({ kind: 'look', at, input, told });
    return told;
  };
  const record = async (records: EventRecord[]): Promise<Recorded> => {
    const before = calls.recordEvents++;
    const { left = [] } = ((await fakes.faults.recordEvents?.(records, before)) ?? {}) as Recorded;
    for (const [i, record] of records.entries()) if (!left.includes(i)) note({ kind: 'event', at: Date.now(), record });
    return left.length === 0 ? {} : { left };
  };
  const report = async (status: JsonObject): Promise<Reported> => {
    const before = calls.reportStatus++;
    const { refused } = ((await fakes.faults.reportStatus?.(status, before)) ?? {}) as Partial<Reported>;
    if (refused !== undefined) return { gone: false, refused };
    if (!fakes.isDeleted) note({ kind: 'status', at: Date.now(), status });
    return { gone: fakes.isDeleted };
  };
  const tell = createTell({
    metrics: { statusSuperseded: () => undefined },
    recordEvents: (_, __, records) => record(records),
    reportStatus: ({ status }) => report(status),
  });
  // The client of whichever worker calls first; they all have the same Temporal.
  const openTurns: OpenTurns = {
    complete: (turn, seen) => openTurnsHere().complete(turn, seen),
    release: (turn) => openTurnsHere().release(turn),
  };
  let found: OpenTurns | undefined;
  const openTurnsHere = (): OpenTurns => {
    if (found === undefined) throw new Error('no activity has been called yet');
    return found;
  };
  const learnClient = (): void => {
    found ??= createOpenTurns(Context.current().client.activity);
  };
  const turns = createTurns({
    tell,
    ...{
      openTurns,
      heldTurns: new HeldTurns(),
      ownership: { owns: () => true, takesPart: () => true },
      instance: 'kco-0',
      duePolls: new DuePolls(),
      log: { warning: () => undefined },
    },
    observe: look,
    apps: {
      find: async ({ namespace, name, uid }) =>
        fakes.isDeleted
          ? undefined
          : { metadata: { namespace, name, uid, generation: fakes.plan.generation }, spec: {}, mirror: [] },
      effectiveSpec: () => ({ generation: fakes.plan.generation, plan: fakes.plan }),
    },
    subscriptions: new Subscriptions({
      subscriber: { follow: () => new Promise(() => undefined) },
      maxSubscriptions: 0,
    }),
    wheel: new Wheel(),
    changed: new Set(),
    places: (_, work) => work(),
  });
  const notCalled = async (): Promise<never> => {
    throw new TypeError('a TargetApp does not call this');
  };
  return {
    diff,
    ...(Object.fromEntries(actionNames.map((name) => [name, act])) as Record<ActionName, typeof act>),
    readObject: notCalled,
    applyOwned: notCalled,
    setFinalizer: notCalled,
    endTurn: () => {
      learnClient();
      const { workflowId = '' } = Context.current().info.workflowExecution ?? {};
      return openTurns.complete({ workflowId }, null);
    },
    observe: async (input) => {
      learnClient();
      if (!isTurn(input)) return withHeartbeat(() => look(input));
      turns.hold(input, Context.current().info.taskToken);
      throw new CompleteAsyncError();
    },
    recordEvents: (_, __, records) => withHeartbeat(() => record(records)),
    reportStatus: ({ status }) => withHeartbeat(() => report(status)),
  };
}

/** Fake activities with so many healthy pods. */
export function createFakeActivities(plan: CompiledSpec, pods = 1): FakeActivities {
  const all: FakeActivities['all'] = (kind) => fakes.ledger.filter((h) => h.kind === kind) as never;
  const fakes: FakeActivities = {
    plan,
    pods: new Map(
      Array.from({ length: pods }, (_, i) => [uidOf(i), { name: `my-app-7d4b9c-${i}`, state: health('healthy') }]),
    ),
    isDeleted: false,
    mirror: [],
    faults: {},
    ledger: [],
    activities: {} as Activities,
    counted: [],
    sinks: {
      events: {
        dropped: { fn: (_, reason, count) => void fakes.counted.push(`dropped ${count} ${reason}`) },
      },
      decisions: {
        ended: { fn: (_, action, status) => void fakes.counted.push(`ended ${action} ${status}`) },
        fired: { fn: (_, action) => void fakes.counted.push(`fired ${action}`) },
        suppressed: { fn: (_, reason) => void fakes.counted.push(`suppressed ${reason}`) },
      },
    },
    all,
    reasons: () => all('event').map(({ record }) => record.reason),
    says: (state, uid = uidOf(0)) => {
      fakes.pods.set(uid, { name: fakes.pods.get(uid)?.name ?? 'my-app', state });
    },
  };
  fakes.activities = activitiesOf(fakes);
  return fakes;
}

/** Activities and sinks that are, by turns, those of each execution: `fakesOf` has them by its workflow's id, so one worker serves all. */
export function dispatchToFakes(
  fakesOf: ReadonlyMap<string, FakeActivities>,
): Pick<FakeActivities, 'activities' | 'sinks'> {
  const of = (workflowId = ''): FakeActivities => {
    const fakes = fakesOf.get(workflowId);
    if (fakes === undefined) throw new Error(`there are no fake activities for ${workflowId}`);
    return fakes;
  };
  const dispatch =
    (name: keyof Activities) =>
    (...args: unknown[]) => {
      const { activities } = of(Context.current().info.workflowExecution?.workflowId);
      return (activities[name] as (...args: unknown[]) => unknown)(...args);
    };
  const names = Object.keys(createFakeActivities(planWith()).activities) as (keyof Activities)[];
  return {
    activities: Object.fromEntries(names.map((name) => [name, dispatch(name)])) as unknown as Activities,
    sinks: {
      events: {
        dropped: { fn: (info, ...args) => of(info.workflowId).sinks.events.dropped.fn(info, ...args) },
      },
      decisions: {
        ended: { fn: (info, ...args) => of(info.workflowId).sinks.decisions.ended.fn(info, ...args) },
        fired: { fn: (info, ...args) => of(info.workflowId).sinks.decisions.fired.fn(info, ...args) },
        suppressed: { fn: (info, ...args) => of(info.workflowId).sinks.decisions.suppressed.fn(info, ...args) },
      },
    },
  };
}

/** A look that has seen what there is and does not answer yet. */
export interface HeldLook {
  isUnderWay: boolean;
  release(): void;
}

/** Lets the next look wait for its release. */
export function holdNextLook(fakes: FakeActivities): HeldLook {
  const gate = Promise.withResolvers<void>();
  const held: HeldLook = { isUnderWay: false, release: gate.resolve };
  fakes.faults.observe = () => {
    held.isUnderWay = true;
    delete fakes.faults.observe;
    return gate.promise;
  };
  return held;
}
