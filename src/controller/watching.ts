import type { Kube } from '../clients/kubernetes/client.ts';
import { createInformer, type Informer, type InformerOptions } from '../clients/kubernetes/informer/informer.ts';
import type { Log } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics/index.ts';

/** What watching needs. */
export interface WatchingOptions {
  kube: Kube;
  /** All when empty. */
  namespaces: string[];
  metrics: Metrics;
  log: Log;
}

/** A watch cache whose troubles are counted and logged, and whose staleness is a metric. */
export function createInformerFor<T>(
  { kube, namespaces, metrics, log }: WatchingOptions,
  about: Pick<InformerOptions<T>, 'labelSelector' | 'onChange' | 'ref' | 'transform'>,
): Informer<T> {
  const resource = about.ref.plural;
  const cache = createInformer<T>({
    kube,
    namespaces: about.ref.namespaced ? namespaces : [],
    ...about,
    onError: (error, waitMs, namespace) => {
      metrics.failed({ category: 'kubernetes' });
      log.warning('watch failed, retrying', { resource, namespace, retry_ms: Math.round(waitMs), error });
    },
    onReturn: (namespace) => log.info('watch resumed', { resource, namespace }),
  });
  metrics.readWatches(resource, cache.scopes);
  return cache;
}
