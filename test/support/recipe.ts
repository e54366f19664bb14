import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** How a block of a recipe enters its file. */
type Place = { how: 'new' } | { how: 'end' } | { how: 'after' | 'before' | 'replace'; text: string };

/** A block of a recipe: text for a file. */
export interface Block {
  path: string;
  place: Place;
  text: string;
}

/** A recipe of CONTRIBUTING.md: its heading and what it puts where. */
export interface Recipe {
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
export const recipesIn = (document: string): Recipe[] =>
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
export function apply(root: string, block: Block): void {
  const file = join(root, block.path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, inserted(block.place.how === 'new' ? '' : readFileSync(file, 'utf8'), block));
}
