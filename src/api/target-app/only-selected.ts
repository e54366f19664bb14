import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import type { Selected } from './query.ts';

/** Names that are selected, and where each stands among them. */
interface Names {
  all: string[];
  order: Map<string, number>;
}

const anything: Selected = {};
const remembered = new WeakMap<Selected, Names>();

function namesIn(selected: Selected): Names {
  const known = remembered.get(selected);
  if (known !== undefined) return known;
  const all = Object.keys(selected);
  const names = { all, order: new Map(all.map((name, i) => [name, i])) };
  remembered.set(selected, names);
  return names;
}

/** The names of an object that are selected, in the order of the query; found from whichever side has fewer. */
function selectedNames(answer: JsonObject, { all, order }: Names): string[] {
  const keys = Object.keys(answer);
  if (keys.length >= all.length) return all.filter((name) => Object.hasOwn(answer, name));
  return keys.filter((key) => order.has(key)).sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
}

/** What of an answer was asked for. A server that says more has not said it to us: it must not get into a history. */
export function onlySelected(answer: Json, selected: Selected): Json {
  const names = namesIn(selected);
  if (names.all.length === 0) return answer;
  if (Array.isArray(answer)) return answer.map((item) => onlySelected(item, selected));
  if (!isJsonObject(answer)) return answer;
  return Object.fromEntries(
    selectedNames(answer, names).map((name) => [name, onlySelected(answer[name] ?? null, selected[name] ?? anything)]),
  );
}
