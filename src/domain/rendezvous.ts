import { fnv1a } from './hash.ts';

/** Makes every bit of a hash depend on every other one: those of like texts differ in a few. */
function mixed(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Which of these looks after a key, by rendezvous hashing: the same answer to everybody who knows the same names, about as many
 * keys for each, and none moves but from one that has gone, or to one that has come. Undefined when there is nobody.
 */
export function ownerOf(key: string, names: readonly string[]): string | undefined {
  let owner: string | undefined;
  let most = -1;
  for (const name of names) {
    const weight = mixed(fnv1a(key, mixed(fnv1a(name))));
    if (weight > most || (weight === most && owner !== undefined && name < owner)) {
      most = weight;
      owner = name;
    }
  }
  return owner;
}
