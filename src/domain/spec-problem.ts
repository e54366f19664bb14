/** Something in a spec that the API server could not refuse. */
export interface SpecProblem {
  /** Path of the field, e.g. `spec.actions[2].trigger.field`. */
  field: string;
  /** What is wrong, the limit, and the fix, in one sentence. */
  message: string;
}
