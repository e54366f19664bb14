/** Parts up to this length are looked for by the engine, whose time grows with the product of both lengths at worst. */
const maxNaive = 64;

/** Of each beginning of a text, how long the longest beginning is that it ends with, itself aside. */
function overlapsOf(part: string): number[] {
  const overlaps = [0];
  for (let at = 1, overlap = 0; at < part.length; at++) {
    while (overlap > 0 && part.charCodeAt(at) !== part.charCodeAt(overlap)) overlap = overlaps[overlap - 1] ?? 0;
    if (part.charCodeAt(at) === part.charCodeAt(overlap)) overlap += 1;
    overlaps.push(overlap);
  }
  return overlaps;
}

/** Whether a text has a part, as `includes` says it, in time that grows with the sum of their lengths (Knuth, Morris, Pratt). */
export function hasPart(text: string, part: string): boolean {
  if (part.length <= maxNaive || part.length > text.length) return text.includes(part);
  const overlaps = overlapsOf(part);
  for (let at = 0, found = 0; at < text.length; at++) {
    while (found > 0 && text.charCodeAt(at) !== part.charCodeAt(found)) found = overlaps[found - 1] ?? 0;
    if (text.charCodeAt(at) === part.charCodeAt(found)) found += 1;
    if (found === part.length) return true;
  }
  return false;
}
