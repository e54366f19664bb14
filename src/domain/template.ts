import { isJsonObject, type Json } from './json.ts';

const template = /\{\{([^{}]*)\}\}/g;
const whole = /^\s*\{\{([^{}]*)\}\}\s*$/;

/** Most characters that the variables of one call may bring in, all together. */
export const maxRenderedLength = 65_536;

/** Names of the variables that templates may mention; beside them `state.<path>`. */
export const templateVariableNames = [
  'action_id',
  'field',
  'namespace',
  'new_value',
  'old_value',
  'pod_name',
  'rule',
  'tapp_name',
  'timestamp',
  'workflow_url',
] as const;

const stringsIn = (value: Json): string[] => {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(stringsIn);
  return isJsonObject(value) ? Object.values(value).flatMap(stringsIn) : [];
};

/** The variables that the strings of a value mention, each once, in the order of their first mention. */
export const templateVariables = (value: Json): string[] => [
  ...new Set(stringsIn(value).flatMap((text) => [...text.matchAll(template)].map(([, name = '']) => name.trim()))),
];

const cut = (text: string, length: number): string =>
  text.length <= length ? text : text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '');

/** How much the variables may still bring in. */
interface Budget {
  left: number;
}

const spend = (text: string, budget: Budget): string => {
  const given = cut(text, budget.left);
  budget.left -= given.length;
  return given;
};

const lookUp = (name: string, variables: Record<string, Json>): Json =>
  (Object.hasOwn(variables, name) ? variables[name] : undefined) ?? null;

/** Lists and objects as text: one variable can be mentioned thousands of times. */
const written = new WeakMap<object, string>();

/** A value inside a longer string: text as it is, nothing for null, JSON for the rest. */
const inline = (value: Json): string => {
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  const text = written.get(value) ?? JSON.stringify(value);
  written.set(value, text);
  return text;
};

/** A value in the place of a whole string. What would be too large comes as text that is cut off. */
const inPlace = (value: Json, budget: Budget): Json => {
  const size = inline(value).length;
  if (typeof value === 'string' || size > budget.left) return spend(inline(value), budget);
  budget.left -= size;
  return value;
};

const renderString = (text: string, variables: Record<string, Json>, budget: Budget): Json => {
  const only = whole.exec(text)?.[1];
  if (only !== undefined) return inPlace(lookUp(only.trim(), variables), budget);
  return text.replace(template, (_, name: string) => spend(inline(lookUp(name.trim(), variables)), budget));
};

const render = (value: Json, variables: Record<string, Json>, budget: Budget): Json => {
  if (typeof value === 'string') return renderString(value, variables, budget);
  if (Array.isArray(value)) return value.map((item) => render(item, variables, budget));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, render(item, variables, budget)]));
};

/**
 * Puts variables in the place of `{{name}}` in every string of a value; keys of objects are left alone. A string that is
 * one template only becomes the value itself, with its type; inside a longer string text stays text, null is nothing and
 * the rest is JSON. Lookup only: what a variable brings in is not looked at again. A variable that is not there is null.
 * All variables together bring in at most `maxRenderedLength` characters; what is beyond is cut off.
 */
export const renderTemplates = (value: Json, variables: Record<string, Json>): Json =>
  render(value, variables, { left: maxRenderedLength });
