import { setTimeout as delay } from 'node:timers/promises';
import type { OperatorProcess } from '../../test/support/operator-under-test.ts';
import type { RealWorld } from '../../test/support/real-world.ts';
import type { ServerName } from '../servers/start-servers.ts';
import type { Outages } from './outages.ts';

/**
 * Without these KCO cannot do all that it promises; the others make pods only. kwok is left alone: started anew, it gives addresses
 * away that pods have already.
 */
const needed: readonly string[] = ['operator', 'temporal', 'kube-apiserver', 'etcd'];
const victims: readonly ('operator' | ServerName)[] = [
  'operator',
  'temporal',
  'kube-apiserver',
  'operator',
  'etcd',
  'kube-scheduler',
  'kube-controller-manager',
];

/** Kills one after the other, and starts it again. */
export class Kills {
  readonly #world: RealWorld;
  readonly #outages: Outages;
  readonly #settings: Record<string, string>;
  readonly counts = new Map<string, number>();
  operator: OperatorProcess | undefined;
  #operators = 0;
  #next = 0;

  constructor(world: RealWorld, outages: Outages, settings: Record<string, string>) {
    this.#world = world;
    this.#outages = outages;
    this.#settings = settings;
  }

  /** Starts an operator; resolves when it is ready. Each is another pod. */
  async startOperator(): Promise<void> {
    const pod = `kco-${this.#operators++}`;
    this.operator = await this.#world.spawnOperator({ ...this.#settings, POD_NAME: pod });
    await this.operator.ready();
  }

  /** Kills the next one; resolves with what was killed when it is back, and rejects when it does not come back. */
  async one(): Promise<string> {
    const victim = victims[this.#next++ % victims.length] ?? 'operator';
    const signal = victim === 'operator' && this.#operators % 2 === 0 ? 'SIGTERM' : 'SIGKILL';
    const what = `${victim} ${signal}`;
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
    if (needed.includes(victim)) this.#outages.begin();
    try {
      await this.#startedAnew(victim, signal);
      return what;
    } catch (error) {
      throw new Error(`${what} did not come back`, { cause: error });
    } finally {
      // What does not come back is no excuse for what follows.
      if (needed.includes(victim)) this.#outages.end();
    }
  }

  async #startedAnew(victim: (typeof victims)[number], signal: NodeJS.Signals): Promise<void> {
    if (victim === 'operator') {
      await this.operator?.end(signal);
      this.operator = undefined;
      await this.startOperator();
    } else {
      await this.#world.servers.kill(victim);
      await delay(Math.random() * 5_000);
      await this.#world.servers.restart(victim);
    }
  }
}
