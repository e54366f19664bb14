import { describe, expect, it } from '@jest/globals';
import type { Kube, ResourceRef } from '../../src/clients/kubernetes/client.ts';
import { createAbsentNamespaces } from '../../src/controller/absent-namespaces.ts';
import { createServedKinds } from '../../src/controller/served-kinds.ts';

const refOf = (plural: string): ResourceRef => ({ apiVersion: 'x/v1', kind: plural, plural, namespaced: true });
const { signal } = new AbortController();

describe('the kinds that the API server knows', () => {
  it('are looked at each by itself: the one that is missing is named, told once, and again when it is back', async () => {
    const [apps, projects] = [refOf('apps'), refOf('projects')];
    const lines: string[] = [];
    const note = (message: string, facts?: object) => void lines.push(`${message} ${JSON.stringify(facts)}`);
    const log = { debug: note, info: note, warning: note, error: note, with: () => log };
    let missing = 'projects';
    const isServed: Kube['isServed'] = async ({ plural }) => plural !== missing;
    const kinds = createServedKinds({ isServed }, [apps, projects], log);
    await kinds.look(signal);
    await kinds.look(signal);
    expect(kinds.check(apps)).toEqual({ ok: true });
    expect(kinds.check(projects)).toMatchObject({
      ok: false,
      message: expect.stringContaining('does not know projects'),
    });
    missing = '';
    await kinds.look(signal);
    expect(kinds.check(projects)).toEqual({ ok: true });
    expect(lines.map((line) => line.split(' {')[0])).toEqual(['kind not served', 'kind served again']);
  });
});

describe('watched namespaces', () => {
  const looking = async (there: Record<string, 'absent' | 'forbidden' | 'there'>) => {
    const get = (async (_, { name }) => {
      if (there[name] === 'forbidden') throw new Error('forbidden');
      return there[name] === 'there' ? {} : undefined;
    }) as Kube['get'];
    const namespaces = createAbsentNamespaces({ get }, Object.keys(there));
    await namespaces.look(signal);
    return namespaces.check();
  };

  it.each<[string, Parameters<typeof looking>[0], object]>([
    ['are there', { a: 'there', b: 'there' }, { ok: true }],
    ['may not be asked for', { a: 'there', b: 'forbidden' }, { ok: true }],
    [
      'are there in part',
      { a: 'there', b: 'absent' },
      { ok: true, degraded: true, message: expect.stringContaining(' b:') },
    ],
    ['are all absent', { a: 'absent' }, { ok: false, message: expect.stringContaining('KCO_WATCH_NAMESPACES') }],
  ])('that %s', async (_, there, expected) => {
    expect(await looking(there)).toEqual(expected);
  });
});
