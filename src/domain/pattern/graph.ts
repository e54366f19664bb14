import type { Characters } from './characters.ts';
import type { Tree } from './syntax.ts';
import { addPosition, newWords, union, type Words } from './words.ts';

/** An expression whose repetitions are written out: each `position` stands for one character of a text. */
export type Graph =
  | { kind: 'position'; position: number }
  | { kind: 'assertion'; at: number; holds: boolean }
  | { kind: 'sequence' | 'choice'; parts: Graph[] }
  | { kind: 'loop'; of: Graph };

/** How large an expression is with its repetitions written out. */
export interface Size {
  /** Characters that it can match one after the other or in each other's place. */
  positions: number;
  /** Characters, assertions, sequences, choices. */
  parts: number;
}

const timesOf = ({ least, most }: { least: number; most: number }): number =>
  most === Number.POSITIVE_INFINITY ? Math.max(1, least) : most;

export function sizeOf(tree: Tree): Size {
  if (tree.kind === 'characters') return { positions: 1, parts: 1 };
  if (tree.kind === 'assertion') return { positions: 0, parts: 1 };
  if (tree.kind === 'repeat') {
    const { positions, parts } = sizeOf(tree.of);
    const times = positions === 0 ? Math.min(1, tree.most) : timesOf(tree);
    return { positions: times * positions, parts: 1 + times * (parts + 1) };
  }
  const sizes = tree.parts.map(sizeOf);
  return {
    positions: sizes.reduce((sum, { positions }) => sum + positions, 0),
    parts: sizes.reduce((sum, { parts }) => sum + parts, 1),
  };
}

const empty: Graph = { kind: 'sequence', parts: [] };
const optional = (of: Graph): Graph => ({ kind: 'choice', parts: [of, empty] });

/** Writes the repetitions of an expression out; `sets` gets the characters of each position. */
export function graphOf(tree: Tree, sets: Characters[]): Graph {
  if (tree.kind === 'assertion') return tree;
  if (tree.kind === 'characters') return { kind: 'position', position: sets.push(tree.set) - 1 };
  if (tree.kind !== 'repeat') return { kind: tree.kind, parts: tree.parts.map((part) => graphOf(part, sets)) };
  const { of, least, most } = tree;
  if (most === 0) return empty;
  // What matches no character says of one place the same however often it is asked.
  const isPlace = sizeOf(of).positions === 0;
  const copies = Array.from({ length: isPlace ? 1 : timesOf(tree) }, () => graphOf(of, sets));
  const last = copies.at(-1);
  if (last !== undefined && most === Number.POSITIVE_INFINITY) copies[copies.length - 1] = { kind: 'loop', of: last };
  const needed = copies.slice(0, least);
  // Each further one stands inside the one before, so that what follows all of them is written down once.
  const further = copies
    .slice(least)
    .reduceRight((rest, copy) => optional({ kind: 'sequence', parts: [copy, rest] }), empty);
  return { kind: 'sequence', parts: [...needed, further] };
}

/** What a graph asks of the places between characters (`place`). */
export function asksOf(graph: Graph): number {
  if (graph.kind === 'position') return 0;
  if (graph.kind === 'assertion') return graph.at;
  const parts = graph.kind === 'loop' ? [graph.of] : graph.parts;
  return parts.reduce((asks, part) => asks | asksOf(part), 0);
}

/** A piece of a graph as it is at a place of a certain kind. */
interface Piece {
  /** Whether it matches the empty text there. */
  isEmpty: boolean;
  /** Where a match of it can begin. */
  first: Words;
  /** Tells each position what can come after it, when `next` is what can come after the piece. */
  link(next: Words): void;
}

/** What can come next before a piece, when `next` can come after it. */
const before = (next: Words, { isEmpty, first }: Piece): Words => (isEmpty ? union(first, next) : first);

const sequenceOf = (parts: Piece[], nothing: Words): Piece => ({
  isEmpty: parts.every(({ isEmpty }) => isEmpty),
  first: parts.reduceRight(before, nothing),
  link: (next) => {
    parts.reduceRight((after, part) => {
      part.link(after);
      return before(after, part);
    }, next);
  },
});

const choiceOf = (parts: Piece[], nothing: Words): Piece => ({
  isEmpty: parts.some(({ isEmpty }) => isEmpty),
  first: parts.reduce((sum, { first }) => union(sum, first), nothing),
  link: (next) => {
    for (const part of parts) part.link(next);
  },
});

/** The piece that a graph is where the bits of `here` say what is so (`place`); linking it fills `follow`. */
function pieceOf(graph: Graph, here: number, nothing: Words, follow: Words[]): Piece {
  if (graph.kind === 'assertion')
    return { isEmpty: ((here & graph.at) !== 0) === graph.holds, first: nothing, link: () => {} };
  if (graph.kind === 'position') {
    const first = [...nothing];
    addPosition(first, graph.position);
    const link = (next: Words): void => {
      follow[graph.position] = next;
    };
    return { isEmpty: false, first, link };
  }
  if (graph.kind === 'loop') {
    const { isEmpty, first, link } = pieceOf(graph.of, here, nothing, follow);
    return { isEmpty, first, link: (next) => link(union(first, next)) };
  }
  const parts = graph.parts.map((part) => pieceOf(part, here, nothing, follow));
  return graph.kind === 'sequence' ? sequenceOf(parts, nothing) : choiceOf(parts, nothing);
}

/** What can be matched next at a place of a certain kind; the position behind the last is the end of a match. */
export interface Links {
  /** By a match that begins at the place. */
  first: Words;
  /** By one that has just matched each position. */
  follow: Words[];
}

/** The links of a graph at places that are what the bits of `here` say (`place`). */
export function linksOf(graph: Graph, positions: number, here: number): Links {
  const nothing = newWords((positions >> 5) + 1);
  const end = [...nothing];
  addPosition(end, positions);
  const follow: Words[] = [];
  const { isEmpty, first, link } = pieceOf(graph, here, nothing, follow);
  link(end);
  return { first: isEmpty ? union(first, end) : first, follow };
}
