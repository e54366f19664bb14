import { Agent, request } from 'undici';

/** An answer of the API server. */
export interface ApiAnswer {
  status: number;
  /** The parsed body; the text itself when it is not JSON. */
  body: unknown;
}

/** The few calls that are needed before a real client makes sense. */
export interface ApiClient {
  /** Rejects when the server cannot be reached, not because of a status. */
  call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<ApiAnswer>;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Talks to a server of the cluster, trusting its CA and nothing else; without a token as nobody. */
export function createApiClient(url: string, ca: string, token?: string): ApiClient {
  const dispatcher = new Agent({ connect: { ca }, connections: 4, headersTimeout: 5_000, bodyTimeout: 5_000 });
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  return {
    async call(method, path, body) {
      const sent = body === undefined ? null : JSON.stringify(body);
      const response = await request(`${url}${path}`, { dispatcher, method, headers, body: sent });
      return { status: response.statusCode, body: parsed(await response.body.text()) };
    },
  };
}
