/** Milliseconds of processor time that some work takes, which is its own, however busy the machine is. Coarse: some milliseconds. */
export function computingMs(work: () => unknown): number {
  const began = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(began);
  return (user + system) / 1_000;
}
