import { legible } from '../../domain/text.ts';

const credential = /\b(bearer|basic)\s+[\w.~+/=-]+/gi;

/** Text of another system, made fit for a message: legible (see there), and without `Authorization` values. */
export const sanitize = (text: string, max = 200): string =>
  // Cut first: what is cleaned may be as long as a whole response.
  legible(text.slice(0, max * 4).replace(credential, '$1 ***'), max);

const defaultPorts: Record<string, string> = { 'http:': '80', 'https:': '443' };

/** Host and port of a valid http or https URL, the scheme's own port too: a person looks for the port that was asked. */
export const hostAndPortOf = (url: URL | string): string => {
  const { protocol, hostname, port } = typeof url === 'string' ? new URL(url) : url;
  return sanitize(`${hostname}:${port || defaultPorts[protocol]}`);
};

/** A valid URL for messages: host, port and path, no scheme, userinfo, query or fragment. Not for the happy path. */
export const addressOf = (url: URL | string): string => {
  const parsed = typeof url === 'string' ? new URL(url) : url;
  return sanitize(`${hostAndPortOf(parsed)}${parsed.pathname}`);
};
