import { createServer } from 'node:net';

/** How long an exporter on loopback may take, and how much it may say: `/metrics` has to answer within a scrape interval. */
const limits = { milliseconds: 2_000, bytes: 16_777_216 };

/** The exporter did not answer with metrics. */
export class ScrapeError extends Error {
  constructor(url: string, why: string, options?: ErrorOptions) {
    super(`no metrics from ${url}: ${why}`, options);
    this.name = 'ScrapeError';
  }
}

const capped = async (response: Response, url: string): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > limits.bytes) throw new ScrapeError(url, `more than ${limits.bytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** Fetches what a Prometheus exporter of this process serves on loopback, as text of format 0.0.4. Throws `ScrapeError`. */
export const scrape = async (url: string): Promise<string> => {
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(limits.milliseconds) });
    if (!response.ok) throw new ScrapeError(url, `HTTP status ${response.status}`);
    return await capped(response, url);
  } catch (cause) {
    if (cause instanceof ScrapeError) throw cause;
    throw new ScrapeError(url, 'it cannot be reached, redirects, or is too slow', { cause });
  }
};

const nameOf = (line: string) => /^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1] ?? /^[A-Za-z_:][\w:]*/.exec(line)?.[0];

/**
 * Two expositions as one. A family of the second that the first has too is left out: said twice, Prometheus refuses the whole answer.
 * An `# EOF` of OpenMetrics is dropped, because more follows or the format is another.
 */
export const mergeExpositions = (first: string, second: string): string => {
  const lines = (text: string) => text.split('\n').filter((line) => line !== '' && line !== '# EOF');
  const taken = new Set(lines(first).map(nameOf));
  const added = lines(second).filter((line) => !taken.has(nameOf(line)));
  return `${[...lines(first), ...added].join('\n')}\n`;
};

/** A port of loopback that nobody listens on now. The SDK's exporter cannot say which port it took, so it is told one. */
export const freeLoopbackPort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });

/**
 * How Temporal's SDK has to export for its metrics to bear their documented names (`Runtime.install({telemetryOptions: {metrics}})`),
 * and where they are then found.
 */
export const temporalMetrics = (port: number) => ({
  metrics: {
    prometheus: {
      bindAddress: `127.0.0.1:${port}`,
      countersTotalSuffix: true,
      unitSuffix: true,
      useSecondsForDurations: true,
    },
  },
  url: `http://127.0.0.1:${port}/metrics`,
});
