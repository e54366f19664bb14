import type { KubeObject } from '../../clients/kubernetes/types.ts';
import type { FiredEpisode } from '../../domain/target-app/observation.ts';
import type { ExportedFields } from '../../telemetry/metrics/target-app/exported-fields.ts';
import { type WatchedObject, watchedObject } from '../watched-object.ts';
import { type ExportingApp, exportedFields } from './exported-fields.ts';

/** What KCO keeps of a TargetApp in its watch cache. */
export interface WatchedApp extends WatchedObject {
  /** `status.pollRequestedAt`: the poll that was asked for and answered last. */
  pollRequestedAt?: string;
  /** `status.rules[].episodes`, flattened. */
  mirror: FiredEpisode[];
  /** What of `status.state` is exported as metrics; absent where nothing is. */
  exported?: ExportedFields;
}

interface StatusPart {
  pollRequestedAt?: string;
  rules?: { name: string; digest?: string; episodes?: Omit<FiredEpisode, 'digest' | 'rule'>[] }[];
}

/** Cuts a TargetApp down to what is needed of it. */
export function watchedApp(object: KubeObject): WatchedApp {
  const { spec, status } = object as KubeObject & ExportingApp & { status?: StatusPart };
  const mirror = (status?.rules ?? []).flatMap(({ name: rule, digest = '', episodes = [] }) =>
    episodes.map((episode) => ({ rule, digest, ...episode })),
  );
  const exported = exportedFields({ spec, status });
  return {
    ...watchedObject(object),
    mirror,
    ...(status?.pollRequestedAt !== undefined && { pollRequestedAt: status.pollRequestedAt }),
    ...(exported !== undefined && { exported }),
  };
}

/** The annotation that asks for a poll; any new value does. */
const pollRequestedAt = 'kco.local/poll-requested-at';
/** As long as the status takes it. */
const maxRequestLength = 256;

/** The poll that is asked for: a text that is another one at each asking. */
export const pollRequestOf = ({ metadata }: WatchedApp): string | undefined =>
  metadata.annotations?.[pollRequestedAt]?.slice(0, maxRequestLength);
