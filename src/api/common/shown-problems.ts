import type { SpecProblem } from '../../domain/spec-problem.ts';

const maxTold = 50;
const maxField = 256;
const maxMessage = 1024;

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length - 1)}…` : text);

/** As many problems as a person mends at a time, each of a length that can be read: they travel through the history. */
export const toldProblems = (problems: readonly SpecProblem[]): SpecProblem[] =>
  problems
    .slice(0, maxTold)
    .map(({ field, message }) => ({ field: cut(field, maxField), message: cut(message, maxMessage) }));
