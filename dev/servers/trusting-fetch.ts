import { Agent, fetch, type Response } from 'undici';

/** GETs from the servers of a cluster, trusting their CA and nothing else; without a token as nobody. */
export function trustingFetch(ca: string, token?: string): (url: string) => Promise<Response> {
  const dispatcher = new Agent({ connect: { ca }, connections: 4, headersTimeout: 5_000, bodyTimeout: 5_000 });
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (url) => fetch(url, { dispatcher, headers });
}
