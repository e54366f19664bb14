import { setTimeout as delay } from 'node:timers/promises';
import { kinds } from '../../src/api/kinds.ts';
import { refOf } from '../../src/api/resource-ref.ts';
import { type Loop, startLoop } from '../../src/lifecycle/loop.ts';
import type { RealWorld } from '../../test/support/real-world.ts';
import { targetAppOf } from '../../test/support/real-world.ts';
import { until } from '../../test/support/until.ts';
import type { Change, Effects } from './effects.ts';

/** An app that is asked by a URL of its own. */
export interface Member {
  name: string;
  address: string;
}

export interface FleetOptions {
  world: RealWorld;
  effects: Effects;
  size: number;
  /** Seconds between two polls of one app. */
  interval: number;
}

const ref = refOf(kinds.TargetApp);
/** Objects that are created at the same time. */
const atOnce = 16;
/** What a new TargetApp costs on two cores, with room. */
const beginMs = 300;

const memberOf = (_: unknown, n: number): Member => ({
  name: `app-${n}`,
  address: `127.31.${Math.floor(n / 250)}.${1 + (n % 250)}`,
});

/** The apps that are watched. Each change of one makes its rule call a webhook. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly members: readonly Member[];
  #changes = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.members = Array.from({ length: options.size }, memberOf);
  }

  get addresses(): string[] {
    return this.members.map(({ address }) => address);
  }

  /** Creates a TargetApp for each. */
  async create(): Promise<void> {
    const left = [...this.members];
    const work = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) await this.#create(next);
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  async #create({ name, address }: Member): Promise<void> {
    const { world, interval } = this.#options;
    const parameters = { url: world.receiver.url(`/${name}`), payload: { change: '{{new_value}}' } };
    const trigger = { field: 'application.pendingTasks', condition: 'changed' };
    const spec = {
      graphqlEndpoint: world.app.url(address),
      pollingInterval: interval,
      actions: [{ name: 'call', trigger, action: 'webhook', parameters }],
    };
    await world.kube.create(ref, targetAppOf(name, spec));
  }

  /** Waits until all are monitored. */
  async monitored(): Promise<void> {
    const { world, size } = this.#options;
    const monitored = (): number =>
      world.recorder.present.apps().filter(({ status }) => status?.phase === 'Monitoring').length;
    const all = async (): Promise<boolean> => {
      await delay(500);
      return monitored() === size;
    };
    const patience = { timeoutMs: 60_000 + size * beginMs, instead: monitored };
    await until(`${size} TargetApps are monitored`, all, patience);
  }

  /** Makes an app say something else than ever before. */
  change({ name, address }: Member): Change {
    this.#changes += 1;
    const change = { name, address, to: this.#changes, at: Date.now() };
    this.#options.effects.expect(change);
    this.#options.world.app.setState(address, { pendingTasks: change.to });
    return change;
  }

  /** Changes these one after the other, from now on until it is stopped; no app twice. */
  changing(members: readonly Member[], everyMs: number): Loop {
    const left = [...members];
    return startLoop(async () => {
      const next = left.shift();
      if (next !== undefined) this.change(next);
      return everyMs;
    });
  }
}
