/** Divides a total so that nobody gets more than wanted, and what one leaves goes to those who want more. */
export function shared(wanted: number[], total: number): number[] {
  const shares: number[] = new Array(wanted.length).fill(0);
  let left = total;
  const smallestFirst = wanted.map((want, i) => ({ want, i })).toSorted((a, b) => a.want - b.want);
  smallestFirst.forEach(({ want, i }, done) => {
    const share = Math.min(want, Math.floor(left / (wanted.length - done)));
    shares[i] = share;
    left -= share;
  });
  return shares;
}
