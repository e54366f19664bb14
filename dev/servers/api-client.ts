import { Agent, request } from 'node:https';

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
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 4 });
  return {
    call(method, path, body) {
      const { promise, resolve, reject } = Promise.withResolvers<ApiAnswer>();
      const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const headers = { ...authorization, 'content-type': 'application/json' };
      const sent = request(`${url}${path}`, { agent, method, headers, timeout: 5_000 }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString()) }),
        );
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer within 5 s')));
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
      return promise;
    },
  };
}
