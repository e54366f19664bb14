import { isMap, isScalar, type Pair, parseDocument, type YAMLMap } from 'yaml';

/** One value of a chart: where it stands, what it is by default, what it means. */
export interface ChartValue {
  path: string;
  fallback: string;
  meaning: string;
}

const marker = /^\s*-- ?/;

const described = (comment: string | null | undefined): string | undefined => {
  const lines = (comment ?? '').split('\n').map((line) => line.trim());
  const start = lines.findLastIndex((line) => marker.test(line));
  return start < 0 ? undefined : lines.slice(start).join(' ').replace(marker, '');
};

/** The comment before the first key of a map belongs to the map, as the parser sees it. */
const commentOf = (map: YAMLMap, pair: Pair, index: number): string | undefined => {
  const own = isScalar(pair.key) ? pair.key.commentBefore : undefined;
  return described(own) ?? (index === 0 ? described(map.commentBefore) : undefined);
};

/** A value with a `# --` comment is a row; one without must have those below it. */
function* rowsOf(map: YAMLMap, prefix: string): Generator<ChartValue> {
  for (const [index, pair] of map.items.entries()) {
    const path = prefix + String(isScalar(pair.key) ? pair.key.value : pair.key);
    const meaning = commentOf(map, pair, index);
    if (meaning !== undefined) {
      yield { path, meaning, fallback: JSON.stringify(pair.value) };
    } else if (isMap(pair.value)) yield* rowsOf(pair.value, `${path}.`);
    else throw new TypeError(`${path} in values.yaml is not described: put a comment "# -- …" before it`);
  }
}

/** The rows of a values.yaml, in its order. Throws on a value that is not described. */
export const chartValues = (yaml: string): ChartValue[] => {
  const { contents } = parseDocument(yaml);
  if (!isMap(contents)) throw new TypeError('values.yaml is not a map');
  return [...rowsOf(contents, '')];
};

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** The rows as a Markdown table. */
export const valuesTable = (yaml: string): string =>
  [
    '| Value | Default | Meaning |',
    '|---|---|---|',
    ...chartValues(yaml).map(
      ({ path, fallback, meaning }) => `| \`${path}\` | \`${cell(fallback)}\` | ${cell(meaning)} |`,
    ),
  ].join('\n');
