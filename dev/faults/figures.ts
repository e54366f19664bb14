import { alignedTable } from '../aligned-table.ts';

/** What was measured, and what it may be at most. */
export interface Figure {
  what: string;
  value: number;
  /** Absent where it is told only. */
  limit?: number;
  /** Default: a count. */
  unit?: 'ms' | 's' | '%';
}

/** What a scene has found. */
export interface Found {
  scene: string;
  figures: Figure[];
}

export const isMissed = ({ value, limit }: Figure): boolean => limit !== undefined && !(value <= limit);

export const seconds = (what: string, ms: number, limitMs?: number): Figure => ({
  what,
  value: ms / 1_000,
  unit: 's',
  ...(limitMs !== undefined && { limit: limitMs / 1_000 }),
});

const shown = (value: number, { unit }: Figure): string =>
  unit === undefined ? String(value) : `${value.toFixed(unit === 's' ? 2 : 0)} ${unit}`;

const header = ['scene', 'figure', 'found', 'at most', ''];

/** A line for each figure, under a header. */
export function tableOf(found: readonly Found[]): string {
  const rows = found.flatMap(({ scene, figures }) =>
    figures.map((figure) => [
      scene,
      figure.what,
      shown(figure.value, figure),
      figure.limit === undefined ? '' : shown(figure.limit, figure),
      isMissed(figure) ? 'MISSED' : '',
    ]),
  );
  return alignedTable(header, rows);
}
