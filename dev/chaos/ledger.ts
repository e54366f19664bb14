import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ActionName } from '../../src/api/target-app/actions.ts';
import type { Kube, KubeObject, ResourceRef } from '../../src/clients/kubernetes/client.ts';
import { createInformer } from '../../src/clients/kubernetes/informer/informer.ts';
import type { RealWorld } from '../../test/support/real-world.ts';
import { type Candidate, execFile } from './cells.ts';

/** Something that was done, as whoever it was done to knows it. */
export interface Effect {
  /** Epoch milliseconds. */
  at: number;
  /** The same for what its receiver takes for the same. */
  key: string;
}

interface Changing extends KubeObject {
  data?: Record<string, string>;
  spec?: { replicas?: number };
}

/** The effects of actions, read where they took place. */
export interface Ledger {
  effects(candidate: Candidate): Effect[];
  stop(): Promise<void>;
}

/** Watches all objects of a type for changes of what `shown` says of them. */
function changesOf(kube: Kube, ref: ResourceRef, shown: (object: Changing) => unknown) {
  const changes: (Effect & { name: string })[] = [];
  const informer = createInformer<Changing>({
    kube,
    ref,
    transform: (object) => object,
    onChange: (type, object, previous) => {
      if (type !== 'modified' || previous === undefined || shown(object) === shown(previous)) return;
      const { name, resourceVersion = '' } = object.metadata;
      changes.push({ name, at: Date.now(), key: resourceVersion });
    },
  });
  informer.start();
  return { informer, of: (name: string): Effect[] => changes.filter((change) => change.name === name) };
}

/** Lines that a command has left. */
function linesOf(file: string): Effect[] {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  return lines.map((line, at) => ({ at: Number(line.split(' ')[0]), key: String(at) }));
}

/** Begins to follow what is done in a world. */
export async function startLedger(world: RealWorld): Promise<Ledger> {
  const { kube } = world;
  const deployments = { apiVersion: 'apps/v1', kind: 'Deployment', plural: 'deployments', namespaced: true };
  const configMaps = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
  const scaled = changesOf(kube, deployments, ({ spec }) => spec?.replicas);
  // Any change of it: a patch that changes nothing makes none.
  const patched = changesOf(kube, configMaps, ({ metadata }) => metadata.resourceVersion);
  const informers = [scaled.informer, patched.informer];
  await Promise.all(informers.map(({ synced }) => synced));
  const effects: Record<ActionName, (candidate: Candidate) => Effect[]> = {
    exec_command: (candidate) => linesOf(join(world.execDir, execFile(candidate))),
    patch_resource: ({ name }) => patched.of(name),
    restart_pod: ({ name }) =>
      world.recorder.pods
        .filter(({ type, object }) => type === 'deleted' && object.metadata.labels?.['app'] === name)
        .map(({ at, object }) => ({ at, key: object.metadata.uid })),
    scale_deployment: ({ name }) => scaled.of(name),
    webhook: ({ name }) =>
      world.receiver.deliveries(`/${name}`).map(({ at, headers }) => ({ at, key: String(headers['idempotency-key']) })),
  };
  return {
    effects: (candidate) => effects[candidate.action](candidate),
    stop: async () => void (await Promise.all(informers.map((informer) => informer.stop()))),
  };
}
