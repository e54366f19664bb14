import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const read = (path: string): string => readFileSync(join(import.meta.dirname, '..', path), 'utf8');

describe('the image', () => {
  it('starts the operator as `npm start` does', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: { start: string } };
    // The last stage is the operator's, and the entrypoint of its base is node.
    const stage =
      read('Containerfile')
        .split(/^FROM /m)
        .at(-1) ?? '';
    const [, command = '[]'] = stage.match(/^CMD (\[.*\])$/m) ?? [];
    const [, arenas] = stage.match(/\b(MALLOC_ARENA_MAX=\d+)/) ?? [];
    expect([arenas, 'node', ...(JSON.parse(command) as string[])].join(' ')).toBe(scripts.start);
  });

  it('is made of the same files by every builder', () => {
    expect(read('.containerignore')).toBe(read('.dockerignore'));
  });
});
