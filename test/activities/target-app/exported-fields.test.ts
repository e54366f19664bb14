import { describe, expect, it } from '@jest/globals';
import { type ExportingApp, exportedFields } from '../../../src/activities/target-app/exported-fields.ts';
import { watchedApp } from '../../../src/activities/target-app/watched-app.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/types.ts';

const field = 'application.value';

/** A TargetApp that exports one field, with that state. */
const app = (state: Record<string, unknown>, more: ExportingApp = {}): ExportingApp => ({
  spec: { graphqlEndpoint: '/graphql', metrics: [field], ...more.spec },
  status: { phase: 'Monitoring', pods: { observed: 1, unreachable: 0 }, state, ...more.status },
});
const saying = (value: unknown): ExportingApp => app({ 'pod-1': { [field]: value } });

describe('a field that a TargetApp exports', () => {
  it.each<[string, unknown, number | string]>([
    ['a number', 12.5, 12.5],
    ['zero', 0, 0],
    ['a negative number', -1, -1],
    ['true', true, 1],
    ['false', false, 0],
    ['a text', 'healthy', 'healthy'],
    ['a text of 64 characters', 'x'.repeat(64), 'x'.repeat(64)],
    ['a text of several lines', 'up\nand "running" \u202e\u0000', 'up and "running"'],
    ['half a character', 'a\ud800', 'a\ufffd'],
    ['a credential', 'Bearer abc.def', 'Bearer ***'],
  ])('is read when it is %s', (_, value, read) => {
    expect(exportedFields(saying(value))).toEqual({ readings: [{ pod: 'pod-1', field, value: read }], withheld: 0 });
  });

  it.each([
    ['null', saying(null)],
    ['an empty text', saying('')],
    ['a text of nothing that can be printed', saying('\u0000 \u200b')],
    ['not there', app({ 'pod-1': { 'application.other': 1 } })],
    ['the name of what every object inherits', app({ 'pod-1': {} }, { spec: { metrics: ['constructor'] } })],
  ])('has no series when it is %s', (_, of) => {
    expect(exportedFields(of)).toEqual({ readings: [], withheld: 0 });
  });

  const many = (count: number, name: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${name}${i}`, i]));

  it.each([
    ['a text of 65 characters', saying('x'.repeat(65))],
    ['a list', saying('[3 items]')],
    ['an object', app({ 'pod-1': { [`${field}.a`]: 1 } })],
    ['a list that somebody else wrote', saying([1])],
    ['cut off by the status', app({ 'pod-1': many(16, 'f') })],
    ['of a pod whose state is none', app({ 'pod-1': 'up' })],
  ])('is withheld and counted when it is %s', (_, of) => {
    expect(exportedFields(of)).toEqual({ readings: [], withheld: 1 });
  });
});

describe('the fields that a TargetApp exports', () => {
  it('are those that it names, of every pod', () => {
    const state = { a: { one: 1, two: 'x', three: 3 }, b: { one: 2, two: 'y', three: 3 } };
    expect(exportedFields(app(state, { spec: { metrics: ['one', 'two'] } }))?.readings).toEqual([
      { pod: 'a', field: 'one', value: 1 },
      { pod: 'a', field: 'two', value: 'x' },
      { pod: 'b', field: 'one', value: 2 },
      { pod: 'b', field: 'two', value: 'y' },
    ]);
  });

  it.each(['app.shop.svc/graphql', 'https://app.example.com/graphql'])('have no pod where %s is asked', (endpoint) => {
    const of = app({ orders: { [field]: 1 } }, { spec: { graphqlEndpoint: endpoint, metrics: [field] } });
    expect(exportedFields(of)?.readings).toEqual([{ pod: '', field, value: 1 }]);
  });

  it.each<[string, ExportingApp]>([
    ['it names none', app({ a: { [field]: 1 } }, { spec: { metrics: [] } })],
    ['it says nothing about metrics', { ...saying(1), spec: {} }],
    ['there is no spec', { status: { phase: 'Monitoring' } }],
    ['it was never looked at', { spec: { metrics: [field] } }],
    ['there is no state yet', { spec: { metrics: [field] }, status: { phase: 'Monitoring' } }],
    ['metrics is no list', app({ a: { [field]: 1 } }, { spec: { metrics: field } })],
    ...['Failed', 'Initializing', 'Suspended'].map((phase): [string, ExportingApp] => [
      `its phase is ${phase}`,
      app({ a: { [field]: 1 } }, { status: { phase } }),
    ]),
  ])('are none at all when %s', (_, of) => {
    expect(exportedFields(of)).toBeUndefined();
  });

  it('stay while a pod does not answer', () => {
    const [state, pods] = [{ a: { [field]: 1 } }, { observed: 0, unreachable: 1 }];
    expect(exportedFields(app(state, { status: { pods } }))).toEqual(exportedFields(app(state)));
  });

  it('count what they lack of the pods that the status does not show', () => {
    const shown = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`pod-${i}`, { one: 1, two: 2 }]));
    const of = app(shown, { spec: { metrics: ['one', 'two'] }, status: { pods: { observed: 23, unreachable: 2 } } });
    const { readings = [], withheld } = exportedFields(of) ?? {};
    expect([readings.length, withheld]).toEqual([40, 10]);
  });

  it('are bounded whatever the status says', () => {
    const fields = Array.from({ length: 40 }, (_, i) => `f${i}`);
    const values = Object.fromEntries(fields.map((name) => [name, 1]));
    const state = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`${'p'.repeat(400)}${i}`, values]));
    const { readings = [] } = exportedFields(app(state, { spec: { metrics: fields } })) ?? {};
    expect(readings).toHaveLength(20 * 16);
    expect(Math.max(...readings.map(({ pod }) => pod.length))).toBe(256);
  });
});

describe('what is kept of a TargetApp', () => {
  const object = (metrics: string[]): KubeObject =>
    ({
      metadata: { uid: 'u', name: 'orders', namespace: 'shop', resourceVersion: '1', generation: 1 },
      spec: { graphqlEndpoint: '/graphql', metrics },
      status: { phase: 'Monitoring', state: { a: { one: 1, canary: 'canary' }, b: { canary: 'canary' } } },
    }) as KubeObject;

  it('holds of the state what is exported, and nothing else', () => {
    const kept = watchedApp(object(['one']));
    expect(kept.exported).toEqual({ readings: [{ pod: 'a', field: 'one', value: 1 }], withheld: 0 });
    expect(JSON.stringify(kept)).not.toContain('canary');
  });

  it('holds no state where nothing is exported', () => {
    expect(watchedApp(object([]))).not.toHaveProperty('exported');
  });
});
