import { isJsonObject, type Json } from './json.ts';

const lastSegment = (path: Json | undefined): string =>
  typeof path === 'string' ? (path.split('/').at(-1) ?? '') : '';

/** Whether doing this operation twice differs from once: it shifts a list, or moves something away. */
const isUnrepeatable = (operation: Json): boolean => {
  if (!isJsonObject(operation)) return false;
  const { op, path } = operation;
  if (op === 'move') return true;
  return (op === 'add' || op === 'copy' || op === 'remove') && /^(-|\d+)$/.test(lastSegment(path));
};

const isTest = (operation: Json): boolean => isJsonObject(operation) && operation['op'] === 'test';

/** Whether a JSON patch (RFC 6902) may be sent twice: it changes nothing the second time, or tests before it does. */
export const isRepeatablePatch = (operations: Json[]): boolean =>
  !operations.some(isUnrepeatable) || operations.some(isTest);
