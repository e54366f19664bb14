import { z } from 'zod';
import { configurationTable, type VariableRow, variables } from '../../src/config/variables.ts';

type Schema = Record<string, unknown>;
type Range = NonNullable<VariableRow['range']>;

/** Container ports are declared, so a free one (0) will not do. */
const ports = new Set(['KCO_HEALTH_PORT', 'KCO_METRICS_PORT']);

const rangeOf = ({ name, range }: VariableRow): Range | undefined =>
  range && { ...range, min: ports.has(name) ? 1 : range.min };

/** An empty variable is an absent one. */
const orEmpty = (pattern: string): string => `^$|${pattern}`;

/** Numbers may come as texts. Whether one of those lies within the range is for the templates to say: no pattern can, and be read. */
const wholeNumber = ({ min, max }: Range): Schema => ({
  type: ['integer', 'string'],
  minimum: min,
  maximum: max,
  pattern: orEmpty('^(0|[1-9][0-9]{0,14})$'),
});

const allowed = (row: VariableRow): Schema => {
  const { name, limit, pattern } = row;
  const range = rangeOf(row);
  if (range !== undefined) return wholeNumber(range);
  const { enum: words } = z.toJSONSchema(variables.shape[name], { io: 'input' });
  if (words !== undefined) return { enum: ['', ...words] };
  if (pattern !== undefined) return { type: 'string', pattern: orEmpty(pattern) };
  throw new TypeError(
    `${name} must be ${limit}, which the chart cannot check: give it a range or a pattern in its facts`,
  );
};

/** The schema of one variable below `config`, as strict as the environment. Throws on one whose form it cannot tell. */
export const variableSchema = (row: VariableRow): Schema => ({ description: row.meaning, ...allowed(row) });

/** The range of every number below `config`, for the templates. */
export const configRanges = (): Record<string, Range> =>
  Object.fromEntries(
    configurationTable().flatMap((row) => {
      const range = rangeOf(row);
      return range === undefined ? [] : [[row.name, range]];
    }),
  );
