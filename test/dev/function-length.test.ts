import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import ts from 'typescript';

const src = join(import.meta.dirname, '../../src');
const maxLines = 40;

/** Functions, methods and callbacks of a source that are longer, from their first parameter to their last brace. */
function longFunctions(name: string, text: string): string[] {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const lineOf = (position: number): number => source.getLineAndCharacterOfPosition(position).line + 1;
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) {
      const [first, last] = [lineOf(node.getStart(source)), lineOf(node.end)];
      if (last - first + 1 > maxLines) found.push(`${name}:${first} has ${last - first + 1} lines`);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

it(`no function of src has more than ${maxLines} lines`, () => {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  expect(files.flatMap((file) => longFunctions(file, readFileSync(join(src, file), 'utf8')))).toEqual([]);
});

it.each([
  ['a function', (body: string) => `function f() {${body}}`],
  ['an arrow function', (body: string) => `const f = () => {${body}};`],
  ['a method', (body: string) => `class C { m() {${body}} }`],
  ['a callback', (body: string) => `each((x) => {${body}});`],
])('%s that has more is found', (_, written) => {
  expect(longFunctions('a.ts', written('\n'.repeat(maxLines)))).toEqual(['a.ts:1 has 41 lines']);
  expect(longFunctions('a.ts', written('\n'.repeat(maxLines - 1)))).toEqual([]);
});
