import type { Servers } from '../../dev/servers/start-servers.ts';
import { requestCounts } from './request-counts.ts';

const writing = /verb="(APPLY|DELETE|DELETECOLLECTION|PATCH|POST|PUT)"/;
/** What nodes and replicas write all the time. */
const ofNodes = /resource="(leases|nodes)"/;

/** Every kind of write request that the API server has counted, but those of nodes and the Leases of replicas. */
export const createWrites = (servers: Servers) => async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(await requestCounts(servers)).filter(([what]) => writing.test(what) && !ofNodes.test(what)),
  );

export const total = (counts: Record<string, number>): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);
