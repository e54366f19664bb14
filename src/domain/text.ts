// What may not reach a terminal, a log line or an Event: control characters, and the marks that reorder text.
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gu;
const userinfo = /(:\/\/)[^\s/?#@]*@/g;

/** One line that a person can read, and the API server takes: well-formed, at most `max` UTF-16 units, without URL userinfo. */
export function legible(text: string, max: number): string {
  // Cut first: what is cleaned below may be as long as a whole response.
  const clean = text
    .slice(0, max * 4)
    .replace(userinfo, '$1')
    .replace(unprintable, ' ')
    .trim();
  return (clean.length > max ? `${clean.slice(0, max - 1)}…` : clean).toWellFormed();
}

/** Bytes of a text in UTF-8. */
export function bytesOf(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    // Each half of a surrogate pair is two of its four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
