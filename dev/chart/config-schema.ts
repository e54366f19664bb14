import { z } from 'zod';
import { type VariableRow, variables } from '../../src/config/variables.ts';
import { digitsBetween } from './digits-between.ts';

type Schema = Record<string, unknown>;

/** Container ports are declared, so a free one (0) will not do. */
const ports = new Set(['KCO_HEALTH_PORT', 'KCO_METRICS_PORT']);

/** An empty variable is an absent one. */
const orEmpty = (pattern: string): string => `^$|${pattern}`;

/** `minimum` and `maximum` are about numbers, `pattern` about texts: either may come. */
const wholeNumber = (minimum: number, maximum: number): Schema => ({
  type: ['integer', 'string'],
  minimum,
  maximum,
  pattern: orEmpty(digitsBetween(minimum, maximum)),
});

const allowed = ({ name, limit, range, pattern }: VariableRow): Schema => {
  if (range !== undefined) return wholeNumber(ports.has(name) ? 1 : range.min, range.max);
  const { enum: words } = z.toJSONSchema(variables.shape[name], { io: 'input' });
  if (words !== undefined) return { enum: ['', ...words] };
  if (pattern !== undefined) return { type: 'string', pattern: orEmpty(pattern) };
  throw new TypeError(
    `${name} must be ${limit}, which the chart cannot check: give it a range or a pattern in its facts`,
  );
};

/** The schema of one variable below `config`, as strict as the environment. Throws on one whose form it cannot tell. */
export const variableSchema = (row: VariableRow): Schema => ({ description: row.meaning, ...allowed(row) });
