/** A size at a time: epoch milliseconds, MiB. */
interface Sample {
  at: number;
  mib: number;
}

const hourMs = 3_600_000;

/** Sizes of something that begins anew now and then, as the memory of a process that is killed. */
export class Growth {
  readonly #warmUpMs: number;
  readonly #lives = new Map<number, Sample[]>();

  /** @param warmUpMs how much of each life is left out of the slope */
  constructor(warmUpMs: number) {
    this.#warmUpMs = warmUpMs;
  }

  /** @param life the process id, or the like */
  add(life: number, mib: number, at = Date.now()): void {
    const samples = this.#lives.get(life) ?? [];
    samples.push({ at, mib });
    this.#lives.set(life, samples);
  }

  get first(): number {
    return [...this.#lives.values()][0]?.[0]?.mib ?? 0;
  }

  get last(): number {
    return [...this.#lives.values()].at(-1)?.at(-1)?.mib ?? 0;
  }

  get most(): number {
    return Math.max(0, ...[...this.#lives.values()].flat().map(({ mib }) => mib));
  }

  /**
   * MiB per hour: one slope for straight lines of which each life has its own, fitted by least squares. Undefined when no life
   * has outlived its warm-up by as long again.
   */
  get perHour(): number | undefined {
    let [products, squares] = [0, 0];
    for (const life of this.#lives.values()) {
      const warm = life.filter(({ at }) => at - (life[0]?.at ?? 0) >= this.#warmUpMs);
      if ((warm.at(-1)?.at ?? 0) - (warm[0]?.at ?? 0) < this.#warmUpMs) continue;
      const meanAt = warm.reduce((sum, { at }) => sum + at, 0) / warm.length;
      const meanMib = warm.reduce((sum, { mib }) => sum + mib, 0) / warm.length;
      for (const { at, mib } of warm) {
        products += ((at - meanAt) / hourMs) * (mib - meanMib);
        squares += ((at - meanAt) / hourMs) ** 2;
      }
    }
    return squares === 0 ? undefined : products / squares;
  }
}
