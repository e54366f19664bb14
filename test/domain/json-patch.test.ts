import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../src/domain/json.ts';
import { isRepeatablePatch } from '../../src/domain/json-patch.ts';

const op = (name: string, path: string): Json => ({ op: name, path, value: 1 });

describe('a JSON patch that is sent twice', () => {
  it.each<[string, Json[], boolean]>([
    ['replaces once', [op('replace', '/spec/paused')], true],
    ['replaces an item once', [op('replace', '/spec/list/0')], true],
    ['adds a member once', [op('add', '/data/key')], true],
    ['appends twice', [op('add', '/spec/list/-')], false],
    ['inserts twice', [op('add', '/spec/list/0')], false],
    ['copies into a list twice', [op('copy', '/spec/list/-')], false],
    ['removes two items', [op('remove', '/spec/list/0')], false],
    ['moves what is not there any more', [op('move', '/data/b')], false],
    ['appends once where it tests first', [op('test', '/spec/list/0'), op('add', '/spec/list/-')], true],
  ])('%s', (_, patch, repeatable) => {
    expect(isRepeatablePatch(patch)).toBe(repeatable);
  });
});
