import { createApiClient } from '../../dev/servers/api-client.ts';
import type { Servers } from '../../dev/servers/start-servers.ts';

/** What the API server has counted so far: requests by `apiserver_request_total{…}`, whose labels say what they were. */
export async function requestCounts({ kubernetes }: Servers): Promise<Record<string, number>> {
  const { apiServer, ca, adminToken } = kubernetes;
  const { body } = await createApiClient(apiServer, ca, adminToken).call('GET', '/metrics');
  const lines = String(body)
    .split('\n')
    .filter((line) => line.startsWith('apiserver_request_total{'));
  return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]));
}
