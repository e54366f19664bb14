const decoded = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, decoded(each)]));
};

/** Everything that stands in a history as one text: what a person with the right to read it can find there. */
export const historyText = (history: { events?: unknown[] | null }): string =>
  JSON.stringify(decoded(history.events ?? []));
