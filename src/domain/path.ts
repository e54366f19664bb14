import { isJsonObject, type Json } from './json.ts';

/** One step of a path: a field name, a position in a list, or `*` for any element. */
export type Step = { field: string } | { index: number } | '*';

const name = /^[^.[\]{}\s'"]+/;
const brackets = /^\[(\d{1,9}|\*)\]/;
const remembered = new Map<string, Step[] | undefined>();
const maxRemembered = 1000;
const maxLength = 256;

/** From here on the text of a path is not spelt out: a key can be as long as an answer, and have thousands of others below it. */
const maxSpelt = 1024;

/** The text of a path with a field name more; of one that is very long only the beginning. */
export const fieldBelow = (path: string, field: string): string => {
  if (path.length >= maxSpelt) return path;
  return path === '' ? field.slice(0, maxSpelt) : `${path}.${field.slice(0, maxSpelt)}`;
};

/** The text of a path with an index more; of one that is very long only the beginning. */
export const elementBelow = (path: string, index: number): string =>
  path.length >= maxSpelt ? path : `${path}[${index}]`;

const bracketStep = (text: string): Step => (text === '*' ? '*' : { index: Number(text) });

/** Reads `a.b`, `a[0].b`, `a[*].b`; undefined where the text is no path. */
const read = (text: string): Step[] | undefined => {
  const steps: Step[] = [];
  for (let rest = `.${text}`; rest !== ''; ) {
    const field = rest.startsWith('.') ? name.exec(rest.slice(1))?.[0] : undefined;
    if (field === undefined) return undefined;
    steps.push({ field });
    rest = rest.slice(1 + field.length);
    for (let found = brackets.exec(rest); found !== null; found = brackets.exec(rest)) {
      steps.push(bracketStep(found[1] ?? ''));
      rest = rest.slice(found[0].length);
    }
  }
  return steps;
};

/** A memo of a pure function, forgotten as a whole when full: paths come from specs, so there are few. */
const remember = (text: string): Step[] | undefined => {
  if (remembered.has(text)) return remembered.get(text);
  if (remembered.size >= maxRemembered) remembered.clear();
  const steps = text.length > maxLength ? undefined : read(text);
  remembered.set(text, steps);
  return steps;
};

/** The steps of a path; a text that is no path (see `pathProblem`) has none. */
export const parsePath = (text: string): readonly Step[] => remember(text) ?? [];

/**
 * The text of a path to one place. Where a key cannot be written in one (a dot in it, say) the path ends above it, so it
 * leads to something that has the place in it.
 */
export const pathTo = (place: readonly (string | number)[]): string => {
  let text = '';
  for (const [i, step] of place.entries()) {
    const next = typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`;
    const last = remember(next)?.[i];
    const isIt = typeof last === 'object' && ('field' in last ? last.field === step : last.index === step);
    if (!isIt || remember(next)?.length !== i + 1) return text;
    text = next;
  }
  return text;
};

/** Why a text is not a path, with the fix; undefined when it is one. */
export const pathProblem = (text: string): string | undefined => {
  if (remember(text) !== undefined) return undefined;
  if (text.length > maxLength) return `a path has at most ${maxLength} characters, this one ${text.length}`;
  return `'${text}' is not a path: write field names with dots, and [0] or [*] for list elements, e.g. application.health or nodes[*].status`;
};

const meets = (a: Step, b: Step): boolean => {
  if (a === '*' || b === '*') return (a === '*' || 'index' in a) && (b === '*' || 'index' in b);
  if ('index' in a) return 'index' in b && a.index === b.index;
  return 'field' in b && a.field === b.field;
};

/** Whether two paths can lead to the same value; `[*]` stands for any index. */
export const isSamePath = (a: string, b: string): boolean => {
  const [x, y] = [parsePath(a), parsePath(b)];
  return x.length === y.length && x.length > 0 && pathsOverlap(a, b);
};

const overlap = (x: readonly Step[], y: readonly Step[]): boolean => {
  for (let i = 0; i < x.length && i < y.length; i++) {
    const [at, other] = [x[i], y[i]];
    if (at !== undefined && other !== undefined && !meets(at, other)) return false;
  }
  return true;
};

/** Whether one path can lead to a value that lies in, or is, the other's. A text that is no path overlaps with all. */
export const pathsOverlap = (a: string, b: string): boolean => overlap(parsePath(a), parsePath(b));

const readLists = new WeakMap<readonly string[], (readonly Step[])[]>();

/** Whether a path overlaps with one of others, in a list that does not change: it is read once, and asked by each rule. */
export const overlapsAny = (path: string, others: readonly string[]): boolean => {
  const read = readLists.get(others) ?? others.map(parsePath);
  readLists.set(others, read);
  const steps = parsePath(path);
  return read.some((other) => overlap(steps, other));
};

const step = (values: Json[], by: Step): Json[] => {
  if (by === '*') return values.flatMap((value) => (Array.isArray(value) ? value : []));
  if ('index' in by)
    return values.flatMap((value) => (Array.isArray(value) ? value.slice(by.index, by.index + 1) : []));
  return values.flatMap((value) => {
    const found = isJsonObject(value) && Object.hasOwn(value, by.field) ? value[by.field] : undefined;
    // Wrapped, because flatMap would take a list that was found apart.
    return found === undefined ? [] : [found];
  });
};

/**
 * The values a path leads to, in document order. A null that is there is in the list; what is absent is not, so an empty
 * list means absent. `[*]` can give several. A text that is no path leads nowhere.
 */
export const valuesAt = (state: Json, path: string): Json[] => {
  const steps = remember(path);
  return steps === undefined ? [] : steps.reduce(step, [state]);
};
