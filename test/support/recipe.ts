import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** How a block of a recipe enters its file. */
type Place = { how: 'new' } | { how: 'end' } | { how: 'after' | 'before' | 'replace'; text: string };

/** A block of a recipe: text for a file. */
interface Block {
  path: string;
  place: Place;
  text: string;
}

/** A recipe of CONTRIBUTING.md: its heading and what it puts where. */
interface Recipe {
  title: string;
  blocks: Block[];
}

const fence =
  /^```(?:ts|md) (?<path>\S+) (?:(?<plain>new|end)|(?<how>after|before|replace)="(?<mark>.*)")\n(?<text>[\s\S]*?)^```$/gm;

const blockOf = ({ groups = {} }: RegExpMatchArray): Block => {
  const { path = '', plain, how, mark = '', text = '' } = groups;
  const place = plain === undefined ? { how, text: mark } : { how: plain };
  return { path, place: place as Place, text };
};

/** The recipes of a document: the sections below "Recipes". */
const recipesIn = (document: string): Recipe[] =>
  (document.split(/^## Recipes$/m)[1] ?? '')
    .split(/^### /m)
    .slice(1)
    .map((section) => ({
      title: section.slice(0, section.indexOf('\n')),
      blocks: [...section.matchAll(fence)].map(blockOf),
    }));

/** A text with the block in its place. Throws when the place is not there, or there more than once. */
function inserted(content: string, { path, place, text }: Block): string {
  if (place.how === 'new') return text;
  if (place.how === 'end') return `${content}\n${text}`;
  const [before, after, ...more] = content.split(place.text);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`${path} has ${more.length === 0 ? 'no' : 'more than one'} place with: ${place.text}`);
  if (place.how === 'replace') return before + text.trimEnd() + after;
  return place.how === 'before'
    ? before + text + place.text + after
    : `${before}${place.text}\n${text.trimEnd()}${after}`;
}

/** Does what a block says in a copy of the repository. */
function apply(root: string, block: Block): void {
  const file = join(root, block.path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, inserted(block.place.how === 'new' ? '' : readFileSync(file, 'utf8'), block));
}

const repository = join(import.meta.dirname, '..', '..');
/** What makes a copy slow and is not needed in it. */
const left = ['.cache', '.git', 'coverage', 'dist', 'node_modules'];

/** The recipes of CONTRIBUTING.md. */
export const recipes = recipesIn(readFileSync(join(repository, 'CONTRIBUTING.md'), 'utf8'));

/** A copy of the repository in which recipes were followed. */
export interface Copy {
  root: string;
  /** Runs a tool of the repository in it. Returns what it complains of; empty when it ends well. */
  run(...args: string[]): string;
  /** What a script of it prints. */
  output(script: string): string;
  /** Puts text before a mark in one of its files. */
  insert(path: string, mark: string, text: string): void;
  remove(): void;
}

/** Lines of code that a block adds. */
export const linesOf = ({ text }: Block): number => text.split('\n').filter((line) => line.trim() !== '').length;

/** Follows recipes in a copy. */
export function followed(which: Recipe[]): Copy {
  const root = mkdtempSync(join(tmpdir(), 'kco-recipes-'));
  for (const name of readdirSync(repository).filter((entry) => !left.includes(entry)))
    cpSync(join(repository, name), join(root, name), { recursive: true });
  symlinkSync(join(repository, 'node_modules'), join(root, 'node_modules'));
  for (const block of which.flatMap(({ blocks }) => blocks)) apply(root, block);
  const { NODE_OPTIONS: _, ...env } = process.env;
  const spawn = (args: string[]) => spawnSync(process.execPath, args, { cwd: root, env, encoding: 'utf8' });
  return {
    root,
    run: (...args) => {
      const { status, stdout, stderr } = spawn(args);
      return status === 0 ? '' : stdout + stderr;
    },
    output: (script) => spawn(['--no-warnings', '--input-type=module', '--eval', script]).stdout,
    insert: (path, mark, text) => apply(root, { path, text, place: { how: 'before', text: mark } }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
