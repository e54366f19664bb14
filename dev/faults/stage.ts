import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startAll } from '../../src/lifecycle/shutdown-stack.ts';
import type { OperatorProcess } from '../../test/support/operator-under-test.ts';
import { type PollTimesLedger, pollTimes } from '../../test/support/poll-times.ts';
import { type RealWorld, startWorld } from '../../test/support/real-world.ts';
import { createTestStack } from '../../test/support/test-stack.ts';
import { settledShares } from '../../test/support/turn-shares.ts';
import { until } from '../../test/support/until.ts';
import { Effects } from './effects.ts';
import type { Figure } from './figures.ts';
import { Fleet, type Member } from './fleet.ts';

/** How many apps, and how often each is polled, in seconds. */
export interface StageOptions {
  apps: number;
  interval: number;
  /** The logs of the replicas go into this directory, one file for each. */
  logs?: string;
}

/** An operator as a process, and the name of its pod. */
export type Replica = OperatorProcess & { pod: string };

/** An app changes so often. */
const changeEveryMs = 500;
/** What waits for a receiver, or was given to a replica that stands still, comes by then. */
const toldWithinMs = 90_000;
/** What is done twice is done by then. */
const twiceWithinMs = 5_000;
/** How long it may take until replicas share a fleet. */
const sharedWithinMs = 120_000;

/** A fleet that is polled, and what its apps know of that. Between two scenes one replica polls all of them. */
export class Stage {
  readonly world: RealWorld;
  readonly fleet: Fleet;
  readonly effects: Effects;
  readonly polls: PollTimesLedger;
  readonly intervalMs: number;
  readonly #replicas: Replica[] = [];

  constructor(world: RealWorld, { apps: size, interval }: StageOptions) {
    this.world = world;
    this.intervalMs = interval * 1_000;
    this.effects = new Effects({ events: world.recorder.present.events, deliveries: world.receiver.deliveries });
    this.fleet = new Fleet({ world, effects: this.effects, size, interval });
    this.polls = pollTimes(world.app, this.fleet.addresses, this.intervalMs);
  }

  /** Who polls between two scenes: the one that was started last. */
  get replica(): Replica {
    const last = this.#replicas.at(-1);
    if (last === undefined) throw new Error('no replica was started');
    return last;
  }

  /** Starts a replica, by default as another pod; resolves when it is ready. */
  async start(pod = `kco-${this.#replicas.length}`): Promise<Replica> {
    const started = { ...(await this.world.spawnOperator({ POD_NAME: pod, KCO_LOG_LEVEL: 'INFO' })), pod };
    this.#replicas.push(started);
    await started.ready();
    return started;
  }

  /** Waits until these hold all turns, each those of which it is the owner. */
  async shared(...replicas: Replica[]): Promise<void> {
    await settledShares(replicas, this.fleet.members.length, { timeoutMs: sharedWithinMs });
  }

  /** Writes what each replica has logged into a file of its own. */
  writeLogs(directory: string): void {
    mkdirSync(directory, { recursive: true });
    for (const [at, { lines }] of this.#replicas.entries())
      writeFileSync(join(directory, `replica-${at}.log`), lines.join('\n'));
  }

  /** Lets so many intervals pass. */
  async intervals(count: number): Promise<void> {
    await delay(count * this.intervalMs);
  }

  /** Lets these apps change, one after the other, while something happens; what that found, and what came of the changes. */
  async whileChanging(members: readonly Member[], found: () => Promise<Figure[]>): Promise<Figure[]> {
    this.effects.begin();
    const changing = this.fleet.changing(members, changeEveryMs);
    const figures = await found();
    await changing.stop();
    return [...figures, ...(await this.told())];
  }

  /** Waits until all is told of the changes, or can be taken for lost; what came of them. */
  async told(): Promise<Figure[]> {
    const isTold = async (): Promise<boolean> => {
      await delay(500);
      return this.effects.tally().lost === 0;
    };
    await until('all is told', isTold, { timeoutMs: toldWithinMs }).catch(() => undefined);
    await delay(twiceWithinMs);
    const { changes, lost, doubled } = this.effects.tally();
    return [
      { what: `Events and webhooks of ${changes} changes that were lost`, value: lost, limit: 0 },
      { what: '… that were doubled', value: doubled, limit: 0 },
    ];
  }
}

/** Starts servers, a fleet and a replica that polls it, and ends them after `play`. */
export async function onStage<T>(options: StageOptions, play: (stage: Stage) => Promise<T>): Promise<T> {
  const stack = createTestStack();
  return startAll(stack, async () => {
    const world = await startWorld();
    void stack.push('world', world.stop, 120_000);
    const stage = new Stage(world, options);
    const { logs } = options;
    if (logs !== undefined) void stack.push('logs', () => stage.writeLogs(logs));
    await stage.fleet.create();
    await stage.start();
    await stage.fleet.monitored();
    const played = await play(stage);
    await stack.end();
    return played;
  });
}
