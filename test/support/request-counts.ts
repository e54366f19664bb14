import type { Servers } from '../../dev/servers/start-servers.ts';
import { trustingFetch } from '../../dev/servers/trusting-fetch.ts';

/** What the API server has counted so far: requests by `apiserver_request_total{…}`, whose labels say what they were. */
export async function requestCounts({ kubernetes }: Servers): Promise<Record<string, number>> {
  const { apiServer, ca, adminToken } = kubernetes;
  const response = await trustingFetch(ca, adminToken)(`${apiServer}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('apiserver_request_total{'));
  return Object.fromEntries(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]));
}
