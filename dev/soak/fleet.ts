import { setTimeout as delay } from 'node:timers/promises';
import { kinds } from '../../src/api/kinds.ts';
import { refOf } from '../../src/api/resource-ref.ts';
import type { ResourceRef } from '../../src/clients/kubernetes/client.ts';
import type { JsonObject } from '../../src/domain/json.ts';
import { type RealWorld, whenUnhealthy } from '../../test/support/real-world.ts';
import type { EditLedger } from './edit-ledger.ts';
import type { Flip, FlipLedger } from './flip-ledger.ts';
import type { PollLedger } from './poll-ledger.ts';

/** One app that is watched. */
interface Member {
  name: string;
  uid: string;
  workflowId: string;
  address: string;
  flip?: Flip;
  isIll: boolean;
  nextFlipAt: number;
  /** Seconds; each edit makes it another. */
  timeout: number;
}

export interface FleetOptions {
  world: RealWorld;
  polls: PollLedger;
  flips: FlipLedger;
  edits: EditLedger;
  /** Mean time between two flips of an app, in milliseconds. */
  flipEveryMs: number;
}

const deployments: ResourceRef = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true };
const targetApps = refOf(kinds.TargetApp);
const namespace = 'default';
/** How many apps are begun at the same time. */
const atOnce = 10;
/** Of so many flips one makes the app ill, and the next one well. */
const illEvery = 4;
const firstTimeout = 5;

/** From half to one and a half times as long. */
const about = (ms: number): number => ms * (0.5 + Math.random());

/** Calls when the app is unhealthy, with the word that the app had then. */
const specOf = (world: RealWorld, timeout: number): JsonObject => ({
  timeout,
  actions: [
    {
      name: 'call',
      trigger: whenUnhealthy,
      action: 'webhook',
      parameters: { url: world.receiver.url('/soak'), payload: { status: '{{state.application.status}}' } },
    },
  ],
});

/** The apps that are watched: they come, change, are edited and go. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #members: Member[] = [];
  /** Ids of workflows whose TargetApps were deleted. */
  readonly deleted: string[] = [];
  created = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
    options.world.app.onRequest((address) => options.polls.polled(address));
  }

  /** Resolves when so many are monitored. */
  async grow(size: number): Promise<void> {
    const begin = async (): Promise<void> => {
      while (this.created < size) await this.add();
    };
    await Promise.all(Array.from({ length: atOnce }, begin));
  }

  /** One more; resolves when it is monitored. Tried until it succeeds: a server may be away meanwhile. */
  async add(signal?: AbortSignal): Promise<void> {
    const name = `soak-${this.created++}`;
    const { world, polls, flipEveryMs } = this.#options;
    const begun = await untilDone(async () => {
      const [pod] = await world.runApp(name);
      const { metadata } = await world.monitor(name, specOf(world, firstTimeout));
      return { address: pod?.status?.podIP ?? '', uid: metadata.uid ?? '' };
    }, signal);
    if (begun === undefined) return;
    const { uid, address } = begun;
    const workflowId = `targetapp/${namespace}/${name}/${uid}`;
    const nextFlipAt = Date.now() + about(flipEveryMs);
    this.#members.push({ name, uid, workflowId, address, nextFlipAt, isIll: false, timeout: firstTimeout });
    polls.expect(address);
  }

  /** The oldest goes, and another one comes. */
  async replaceOne(signal: AbortSignal): Promise<void> {
    const oldest = this.#members.shift();
    if (oldest === undefined) return;
    const { world, polls, flips, edits } = this.#options;
    polls.dismiss(oldest.address);
    edits.drop(oldest.uid);
    if (oldest.flip !== undefined) flips.drop(oldest.flip);
    await untilDone(() => world.deleteApp(oldest.name), signal);
    this.deleted.push(oldest.workflowId);
    await untilDone(() => world.kube.delete(deployments, { namespace, name: oldest.name }), signal);
    await this.add(signal);
  }

  /** Edits the spec of one. Rejects while the API server is away. */
  async editOne(): Promise<void> {
    const member = this.#members[Math.floor(Math.random() * this.#members.length)];
    if (member === undefined) return;
    const { world, edits } = this.#options;
    const at = Date.now();
    member.timeout = firstTimeout + ((member.timeout + 1) % 20);
    const spec = { timeout: member.timeout };
    // A merge, since what is applied would make anew what is deleted meanwhile.
    const key = { namespace, name: member.name };
    const { metadata } = await world.kube.patch(targetApps, key, { type: 'merge', body: { spec } });
    if (this.#members.includes(member)) edits.made(member.uid, metadata.generation ?? 0, at);
  }

  /** Makes those say something else for which it is time, and whose last flip may go. */
  flip(now = Date.now()): void {
    const { world, flips, flipEveryMs } = this.#options;
    for (const member of this.#members) {
      if (now < member.nextFlipAt || (member.flip !== undefined && !flips.mayGo(member.flip, now))) continue;
      const isIll = !member.isIll && Math.random() < 1 / illEvery;
      member.isIll = isIll;
      member.flip = flips.make(isIll, now);
      member.nextFlipAt = now + about(flipEveryMs);
      world.app.setState(member.address, { status: member.flip.word, health: isIll ? 'unhealthy' : 'healthy' });
    }
  }

  /** Whether every last flip was seen, or has stood for as long as it takes. */
  get isSettled(): boolean {
    return this.#members.every(({ flip }) => flip === undefined || this.#options.flips.mayGo(flip));
  }

  get workflowIds(): string[] {
    return this.#members.map(({ workflowId }) => workflowId);
  }
}

/** Tries it every second until it succeeds; undefined when it was aborted before. */
async function untilDone<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
  while (!signal?.aborted) {
    try {
      return await work();
    } catch {
      await delay(1_000);
    }
  }
  return undefined;
}
