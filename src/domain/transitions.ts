import { type Change, equal } from './diff.ts';
import { isJsonObject, type Json, own } from './json.ts';
import { parsePath, type Step } from './path.ts';

/** One element before and after; absent where there was, or is, none. */
type Pair = [before: Json | undefined, after: Json | undefined, index: number];

/**
 * The elements of two lists that belong together. What is alike at the beginning and at the end stands as it is, so an
 * element that came in front, in the middle or behind is the one that is new; between them it goes by position.
 */
function elementPairs(before: Json | undefined, after: Json | undefined): Pair[] {
  const old = Array.isArray(before) ? before : [];
  const now = Array.isArray(after) ? after : [];
  const shorter = Math.min(old.length, now.length);
  let head = 0;
  while (head < shorter && equal(old[head], now[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && equal(old[old.length - 1 - tail], now[now.length - 1 - tail])) tail += 1;
  const rest = Math.max(old.length, now.length) - tail - head;
  return Array.from({ length: rest }, (_, i): Pair => {
    const at = head + i;
    return [at < old.length - tail ? old[at] : undefined, at < now.length - tail ? now[at] : undefined, at];
  });
}

const fieldOf = (value: Json | undefined, name: string): Json | undefined =>
  isJsonObject(value) ? own(value, name) : undefined;

const elementOf = (value: Json | undefined, index: number): Json | undefined =>
  Array.isArray(value) ? value[index] : undefined;

function below(before: Json | undefined, after: Json | undefined, steps: readonly Step[], path: string): Change[] {
  const [step, ...rest] = steps;
  if (step === undefined) {
    if (equal(before, after)) return [];
    return [{ path, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }];
  }
  if (step === '*')
    return elementPairs(before, after).flatMap(([old, now, i]) => below(old, now, rest, `${path}[${i}]`));
  if ('index' in step)
    return below(elementOf(before, step.index), elementOf(after, step.index), rest, `${path}[${step.index}]`);
  const at = path === '' ? step.field : `${path}.${step.field}`;
  return below(fieldOf(before, step.field), fieldOf(after, step.field), rest, at);
}

/**
 * How the values at a path differ between two states, each with the place where it stands and in full: a list's elements
 * one by one, absent where a parent was not there.
 */
export function transitionsAt(path: string, before: Json, after: Json): Change[] {
  const steps = parsePath(path);
  return steps.length === 0 ? [] : below(before, after, steps, '');
}
