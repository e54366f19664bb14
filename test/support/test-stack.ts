import { createShutdownStack, type ShutdownStack } from '../../src/lifecycle/shutdown-stack.ts';

/** A shutdown stack whose end rejects when something did not end: no test leaves anything behind in silence. */
export function createTestStack(): ShutdownStack {
  const errors: Error[] = [];
  const stack = createShutdownStack((name, cause) => void errors.push(new Error(`${name} did not end`, { cause })));
  return {
    ...stack,
    end: async () => {
      await stack.end();
      if (errors.length > 0) throw new AggregateError(errors, errors.map(({ message }) => message).join(', '));
    },
  };
}
