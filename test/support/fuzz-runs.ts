/** How many cases a property is tried with: `n`, or what `npm run fuzz` asks for in KCO_FUZZ_RUNS. */
export const runs = (n: number): { numRuns: number } => {
  const asked = Number(process.env['KCO_FUZZ_RUNS']);
  return { numRuns: Math.max(n, asked || 0) };
};
