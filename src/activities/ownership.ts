/** Which replica looks after which object. */
export interface Ownership {
  /** Whether this one looks after the object of that uid. */
  owns(uid: string): boolean;
  /** Whether it looks after any: not before it has a Lease, and not while it leaves. */
  takesPart(): boolean;
  /** Calls the listener whenever that may have changed; who leaves waits for what it returns. */
  onChange(listener: () => Promise<void> | void): void;
}
