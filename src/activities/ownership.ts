/** Which replica looks after which object. */
export interface Ownership {
  /** Whether this one looks after the object of that uid. */
  owns(uid: string): boolean;
  /** Whether it looks after any: not before it has a Lease, and not while it leaves. */
  takesPart(): boolean;
  /**
   * Calls the listener whenever that may have changed; who leaves waits for what it returns. `isHandedOver`: those who looked after
   * what is new here are there and let go of it, or have done so before they left; and this one does the same with what it looks
   * after no more, which others have taken already otherwise.
   */
  onChange(listener: (isHandedOver: boolean) => Promise<void> | void): void;
}
