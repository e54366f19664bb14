import { describe, expect, it } from '@jest/globals';
import type { Json } from '../../src/domain/json.ts';
import { parsePath, pathProblem, valuesAt } from '../../src/domain/path.ts';

const state: Json = {
  application: { health: 'healthy', lastError: null, note: '', 'foo-bar': 1 },
  nodes: [{ status: 'up', peers: [1, 2] }, { status: 'down', peers: [] }, { status: null }],
};

describe('valuesAt', () => {
  it.each([
    { path: 'application.health', found: ['healthy'] },
    { path: 'application.lastError', found: [null] },
    { path: 'application.note', found: [''] },
    { path: 'application.absent', found: [] },
    { path: 'application.health.below', found: [] },
    { path: 'application.foo-bar', found: [1] },
    { path: 'nodes[0].status', found: ['up'] },
    { path: 'nodes[9].status', found: [] },
    { path: 'nodes[*].status', found: ['up', 'down', null] },
    { path: 'nodes[*].peers', found: [[1, 2], []] },
    { path: 'nodes[*].peers[*]', found: [1, 2] },
    { path: 'nodes.status', found: [] },
    { path: 'application[0]', found: [] },
    { path: 'constructor.name', found: [] },
    { path: 'application.__proto__', found: [] },
    { path: 'not a path', found: [] },
    { path: '', found: [] },
  ])('finds $found at "$path"', ({ path, found }) => {
    expect(valuesAt(state, path)).toEqual(found);
  });

  it('tells a null from an absent field and from an empty text', () => {
    const values = ['lastError', 'absent', 'note'].map((name) => valuesAt(state, `application.${name}`));
    expect(values).toEqual([[null], [], ['']]);
  });

  it('remembers no more paths than it is allowed to, and still reads them right', () => {
    for (let i = 0; i < 2500; i++) expect(valuesAt({ [`field${i}`]: i }, `field${i}`)).toEqual([i]);
  });
});

describe('pathProblem', () => {
  it.each(['a', 'a.b', 'a[0]', 'a[0][1].b', 'a[*].b', '__typename', 'a.0'])('takes %s', (path) => {
    expect(pathProblem(path)).toBeUndefined();
  });

  it.each(['', '.', 'a.', '.a', 'a..b', 'a[', 'a[]', 'a[x]', 'a[-1]', '[0]', 'a b', 'a[0]b', '{{a}}'])(
    'refuses "%s" and says how a path is written',
    (path) => {
      expect(pathProblem(path)).toContain('write field names with dots');
    },
  );

  it('refuses a path that is too long and names the limit', () => {
    expect(pathProblem('a'.repeat(257))).toBe('a path has at most 256 characters, this one 257');
  });
});

describe('parsePath', () => {
  it('gives the steps of a path', () => {
    expect(parsePath('a[0].b[*]')).toEqual([{ field: 'a' }, { index: 0 }, { field: 'b' }, '*']);
  });
});
