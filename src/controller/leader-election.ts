import { hasStatus, type Kube } from '../clients/kubernetes/client.ts';
import { msOf } from '../domain/seconds.ts';
import { type Loop, startLoop } from '../lifecycle/loop.ts';
import { type Lease, leaseSeconds, mayLead, type SeenLease } from './lease.ts';
import { createLeaseClient, type LeaseClient } from './lease-client.ts';

/** How often a leader renews. */
const renewMs = 1_500;
/** How often a follower looks: a Lease that was given back is taken after that, one that ran out at most that much later. */
const lookMs = 1_000;
/** A leader that could not renew for this long stops leading, before another one may begin. */
const renewDeadlineMs = msOf(leaseSeconds - 4);
/** A look with its write; one of them and the pause before it fit into what is left of the Lease then. */
const patienceMs = 2_000;

export interface LeaderElectionOptions {
  kube: Pick<Kube, 'create' | 'get' | 'patch'>;
  /** Where the Lease is. */
  key: { namespace: string; name: string };
  /** Of this replica; unique. */
  identity: string;
  onStartedLeading(): void;
  onStoppedLeading(): void;
  onError(error: unknown): void;
}

/** This replica's part in the choice of the one that leads. */
export interface LeaderElection {
  readonly isLeader: boolean;
  /** Who holds the Lease, as far as is known. */
  readonly holder: string | undefined;
  /** Gives the Lease back, so that another replica leads at once. */
  stop(): Promise<void>;
}

const patience = (): AbortSignal => AbortSignal.timeout(patienceMs);

/** What this replica knows of the Lease, and whether it leads. */
class Election implements LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #lease: LeaseClient;
  readonly #loop: Loop;
  #seen: SeenLease | undefined;
  #holder: string | undefined;
  /** When the Lease that this replica holds was last written; undefined while it does not lead. */
  #renewedAt: number | undefined;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#lease = createLeaseClient(options.kube, options.key);
    this.#loop = startLoop(() => this.#step());
  }

  get isLeader(): boolean {
    return this.#renewedAt !== undefined;
  }

  get holder(): string | undefined {
    return this.#holder;
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    if (!this.isLeader) return;
    this.#lose();
    const lease = await this.#lease.read(patience()).catch(() => undefined);
    // Somebody else's by now, or the API server is away: then it runs out by itself.
    if (lease?.spec?.holderIdentity === this.#options.identity)
      await this.#lease.write(lease, '', patience()).catch(() => undefined);
  }

  async #step(): Promise<number> {
    try {
      await this.#look();
    } catch (error) {
      // 409: another replica was quicker.
      if (!hasStatus(error, 409)) this.#options.onError(error);
      if (this.#renewedAt !== undefined && performance.now() - this.#renewedAt >= renewDeadlineMs) this.#lose();
    }
    return this.isLeader ? renewMs : lookMs;
  }

  async #look(): Promise<void> {
    const { identity } = this.#options;
    const signal = patience();
    const lease = await this.#lease.read(signal);
    this.#see(lease);
    if (!mayLead(lease, identity, this.#seen, performance.now())) return this.#lose();
    // Others count from when it is written, and an answer may be long in coming.
    const writtenAt = performance.now();
    await this.#lease.write(lease, identity, signal);
    this.#holder = identity;
    this.#lead(writtenAt);
  }

  #see(lease: Lease | undefined): void {
    const resourceVersion = lease?.metadata.resourceVersion;
    if (resourceVersion !== undefined && resourceVersion !== this.#seen?.resourceVersion)
      this.#seen = { resourceVersion, since: performance.now() };
    this.#holder = lease?.spec?.holderIdentity || undefined;
  }

  #lead(writtenAt: number): void {
    const isNew = !this.isLeader;
    this.#renewedAt = writtenAt;
    if (isNew) this.#options.onStartedLeading();
  }

  #lose(): void {
    if (!this.isLeader) return;
    this.#renewedAt = undefined;
    this.#options.onStoppedLeading();
  }
}

/**
 * Chooses one of several replicas by a Lease: whoever holds it leads until it has not renewed it for `leaseSeconds`.
 * Each write is made against the version that was read, so two replicas cannot both succeed.
 */
export const createLeaderElection = (options: LeaderElectionOptions): LeaderElection => new Election(options);
