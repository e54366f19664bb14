/** What became of the edits. */
export interface EditTally {
  edits: number;
  taken: number;
  /** Milliseconds until the status was of the generation that the edit made. */
  takenWithinMs: { p50: number; longest: number };
}

/** Edits of specs, and when the status said that they were taken. By the uid of the TargetApp. */
export class EditLedger {
  readonly #open = new Map<string, { generation: number; at: number }[]>();
  readonly #tookMs: number[] = [];
  #edits = 0;

  made(uid: string, generation: number, at: number): void {
    this.#edits += 1;
    this.#open.set(uid, [...(this.#open.get(uid) ?? []), { generation, at }]);
  }

  /** The status is of that generation now. */
  observed(uid: string, generation: number, now = Date.now()): void {
    const open = this.#open.get(uid);
    if (open === undefined) return;
    for (const edit of open) if (edit.generation <= generation) this.#tookMs.push(now - edit.at);
    this.#open.set(
      uid,
      open.filter((edit) => edit.generation > generation),
    );
  }

  /** The TargetApp is deleted: nobody takes what is open. */
  drop(uid: string): void {
    this.#edits -= this.#open.get(uid)?.length ?? 0;
    this.#open.delete(uid);
  }

  tally(): EditTally {
    const sorted = this.#tookMs.toSorted((a, b) => a - b);
    const p50 = sorted[Math.floor(sorted.length / 2)] ?? 0;
    return { edits: this.#edits, taken: sorted.length, takenWithinMs: { p50, longest: sorted.at(-1) ?? 0 } };
  }
}
