import type { Informer } from '../clients/kubernetes/informer/informer.ts';
import type { JsonObject } from '../domain/json.ts';
import { liveReplicas, silenceMs } from '../domain/live-replicas.ts';
import { ownerOf } from '../domain/rendezvous.ts';
import { secondsOf } from '../domain/seconds.ts';
import { type Loop, startLoop } from '../lifecycle/loop.ts';
import type { Part } from '../lifecycle/shutdown-stack.ts';
import { microTime } from './lease.ts';
import { leases } from './lease-client.ts';
import type { OwnershipHere } from './ownership.ts';
import { createInformerFor, type WatchingOptions } from './watching.ts';

export interface ReplicasOptions extends Pick<WatchingOptions, 'kube' | 'log' | 'metrics'> {
  identity: { namespace: string; pod: string };
  ownership: Pick<OwnershipHere, 'set'>;
  /** Whether this one can look after anything yet: until then it has no Lease. */
  isReady(): boolean;
  /** Whether this one removes the Leases of those that are gone. */
  isLeading(): boolean;
}

const renewMs = 2_000;
/** How often it is looked whether somebody has gone silent. */
const lookMs = 500;
const patienceMs = 2_000;
/** Who starts does not believe for longer that somebody is there whose Lease it finds, and does not see renewed. */
const believedMs = 5_000;
/** A replica that was silent for so long does not come back under its name; if it does, it makes its Lease anew. */
const goneMs = 60_000;
const label = { 'kco.local/replica': 'true' };
const labelSelector = 'kco.local/replica=true';

/** A name that an object can have. */
const leaseNameOf = (pod: string): string =>
  `kco-replica-${pod.toLowerCase().replace(/[^a-z0-9.-]/g, '-')}`.slice(0, 253);

class Membership implements Part {
  readonly #options: ReplicasOptions;
  readonly #name: string;
  readonly #leases: Informer<string>;
  /** When each Lease was last seen to change, by name; milliseconds of a clock that never goes back. */
  readonly #seen = new Map<string, number>();
  /** When Leases were found at the start that were not seen to change since. */
  readonly #found = new Map<string, number>();
  #live: string[] = [];
  #isLeaving = false;
  #hasRenewed = false;
  #loops: Loop[] = [];

  constructor(options: ReplicasOptions) {
    const { identity } = options;
    this.#options = options;
    this.#name = leaseNameOf(identity.pod);
    const watching = { ...options, namespaces: [identity.namespace] };
    this.#leases = createInformerFor<string>(watching, {
      ...{ ref: leases, labelSelector },
      transform: ({ metadata }) => metadata.name,
      onChange: (event, name) => {
        // Whoever left it may have died since.
        const isFound = !this.#leases.hasSynced() && name !== this.#name;
        if (isFound) this.#found.set(name, performance.now());
        else this.#found.delete(name);
        if (event === 'deleted') this.#seen.delete(name);
        else this.#seen.set(name, performance.now() - (isFound ? silenceMs - believedMs : 0));
        this.#judge();
      },
    });
  }

  start(): void {
    this.#leases.start();
    this.#loops = [startLoop((signal) => this.#renew(signal)), startLoop((signal) => this.#sweep(signal))];
  }

  /** Lets the others know, and what this one has looked after go to them. */
  async stop(): Promise<void> {
    this.#isLeaving = true;
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    const others = this.#live.filter((name) => name !== this.#name);
    await this.#remove(this.#name, AbortSignal.timeout(patienceMs));
    // Where nobody else is there, the next one finds all of it as it is.
    if (others.length > 0) await this.#options.ownership.set(undefined, true);
    await this.#leases.stop();
  }

  async #renew(signal: AbortSignal): Promise<number> {
    const { kube, identity, isReady } = this.#options;
    if (!isReady() || this.#isInDoubt()) return lookMs;
    const { apiVersion, kind } = leases;
    const spec = {
      holderIdentity: identity.pod,
      leaseDurationSeconds: secondsOf(silenceMs),
      renewTime: microTime(new Date()),
    };
    const metadata = { namespace: identity.namespace, name: this.#name, labels: label };
    const body: JsonObject = { apiVersion, kind, metadata, spec };
    this.#hasRenewed = true;
    try {
      const until = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
      await kube.patch(leases, metadata, { type: 'apply', body, force: true }, { signal: until });
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
    return renewMs;
  }

  /** Sees who has gone silent, and removes what those have left that do not come back. */
  async #sweep(signal: AbortSignal): Promise<number> {
    this.#judge();
    if (!this.#options.isLeading()) return lookMs;
    const kept = new Set(liveReplicas(this.#seen, goneMs));
    for (const name of this.#seen.keys()) if (!kept.has(name)) await this.#remove(name, signal);
    return lookMs;
  }

  async #remove(name: string, signal: AbortSignal): Promise<void> {
    const { kube, identity } = this.#options;
    await kube
      .delete(leases, { namespace: identity.namespace, name }, { signal })
      .catch((error) => this.#failed(error));
  }

  /** Looks after its part of what there is, as soon as the others can know of it. */
  #judge(): void {
    if (this.#isLeaving) return;
    const live = liveReplicas(this.#seen);
    if (String(live) === String(this.#live)) return;
    const isHandedOver = this.#live.length > 0 && !this.#hasLost(live);
    this.#live = live;
    const owns = live.includes(this.#name) ? (uid: string) => ownerOf(uid, live) === this.#name : undefined;
    this.#options.log.info('replicas changed', { replicas: live.length, this: live.includes(this.#name) });
    void this.#options.ownership.set(owns, isHandedOver);
  }

  /** Whether nobody knows yet if those whose Leases were there are as well: what is theirs they would let go of, or not. */
  #isInDoubt(): boolean {
    return [...this.#found.values()].some((at) => performance.now() - at < believedMs);
  }

  /** Whether somebody has gone without a word: he is silent, or was this one before it started again. */
  #hasLost(live: string[]): boolean {
    const isSilent = (name: string): boolean => this.#seen.has(name) && !live.includes(name);
    return this.#live.some(isSilent) || (live.includes(this.#name) && !this.#hasRenewed);
  }

  #failed(error: unknown): void {
    this.#options.metrics.failed({ category: 'kubernetes' });
    this.#options.log.warning('replica lease failed, retrying', { error });
  }
}

/**
 * Shares the objects among the replicas. Each renews a Lease of its own; whoever is seen to renew is there, and every object belongs
 * to one of those by rendezvous hashing, so all know it without talking. Two may believe the same of one object for a moment: that
 * costs a poll, and nothing is done twice, because Temporal takes the word of the last attempt of a turn alone.
 */
export const createReplicas = (options: ReplicasOptions): Part => new Membership(options);
