// What may not reach a terminal, a log line or an Event: control characters, and the marks that reorder text.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/g;
const userinfo = /(:\/\/)[^\s/?#@]*@/g;
const credential = /\b(bearer|basic)\s+[\w.~+/=-]+/gi;

/**
 * Text of another system, made fit for a message: well-formed Unicode on one line, at most `max` UTF-16 units, without
 * URL userinfo or `Authorization` values.
 */
export const printable = (text: string, max = 200): string => {
  // Cut first: what is cleaned below may be as long as a whole response.
  const clean = text
    .slice(0, max * 4)
    .replace(userinfo, '$1')
    .replace(credential, '$1 ***')
    .replace(unprintable, ' ')
    .trim();
  return (clean.length > max ? `${clean.slice(0, max - 1)}…` : clean).toWellFormed();
};

const defaultPorts: Record<string, string> = { 'http:': '80', 'https:': '443' };

/** Host and port of a valid http or https URL, the scheme's own port too: a person looks for the port that was asked. */
export const hostAndPortOf = (url: URL | string): string => {
  const { protocol, hostname, port } = typeof url === 'string' ? new URL(url) : url;
  return printable(`${hostname}:${port || defaultPorts[protocol]}`);
};

/** A valid URL for messages: host, port and path, no scheme, userinfo, query or fragment. Not for the happy path. */
export const addressOf = (url: URL | string): string => {
  const parsed = typeof url === 'string' ? new URL(url) : url;
  return printable(`${hostAndPortOf(parsed)}${parsed.pathname}`);
};
