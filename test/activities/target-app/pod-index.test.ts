import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createPodIndex, type PodIndex } from '../../../src/activities/target-app/pod-index.ts';
import { type PodView, podView } from '../../../src/activities/target-app/pod-view.ts';
import { createStore } from '../../../src/clients/kubernetes/informer/store.ts';
import type { KubeObject } from '../../../src/clients/kubernetes/types.ts';
import { isSelected, type LabelSelector } from '../../../src/domain/selector.ts';
import { runs } from '../../support/fuzz-runs.ts';

const namespaces = ['bank', 'shop'];
const key = fc.constantFrom('app', 'tier', 'constructor');
const value = fc.constantFrom('', 'a', 'b', 'c');
const labels = fc.dictionary(key, value);
const expression = fc.record({
  key,
  operator: fc.constantFrom('DoesNotExist', 'Exists', 'In', 'NotIn'),
  values: fc.array(value, { maxLength: 3 }),
});
const selector: fc.Arbitrary<LabelSelector> = fc.record(
  { matchLabels: labels, matchExpressions: fc.array(expression, { maxLength: 2 }) },
  { requiredKeys: [] },
);

type Written = { namespace: string; name: string; labels: Record<string, string>; isNew: boolean };
const written: fc.Arbitrary<Written> = fc.record({
  namespace: fc.constantFrom(...namespaces),
  name: fc.constantFrom('p', 'q', 'r', 's', 't'),
  labels,
  isNew: fc.boolean(),
});
type Step =
  | { step: 'asked'; selector: number }
  | { step: 'deleted'; pod: Written }
  | { step: 'put'; pod: Written }
  | { step: 'relisted'; pods: Written[]; namespace: string | undefined }
  | { step: 'waited'; ms: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ step: fc.constant('put'), pod: written }) },
  fc.record({ step: fc.constant('deleted'), pod: written }),
  fc.record({
    step: fc.constant('relisted'),
    pods: fc.array(written, { maxLength: 6 }),
    namespace: fc.constantFrom(undefined, ...namespaces),
  }),
  { weight: 3, arbitrary: fc.record({ step: fc.constant('asked'), selector: fc.nat() }) },
  fc.record({ step: fc.constant('waited'), ms: fc.integer({ min: 1, max: 900_000 }) }),
);

/** A watch cache with an index behind it, and the API server that it follows. */
function followed() {
  let now = 0;
  let version = 0;
  const index = createPodIndex(() => now);
  const store = createStore({ transform: podView, onChange: index.onChange });
  const uids = new Map<string, string>();
  const objectOf = ({ namespace, name, labels: its, isNew }: Written): KubeObject => {
    version += 1;
    const path = `${namespace}/${name}`;
    const uid = isNew ? `uid-${version}` : (uids.get(path) ?? `uid-${version}`);
    uids.set(path, uid);
    return { metadata: { namespace, name, uid, labels: its, resourceVersion: `${version}` } };
  };
  const take = (each: Exclude<Step, { step: 'asked' }>): void => {
    if (each.step === 'waited') now += each.ms;
    else if (each.step === 'put') store.put(objectOf(each.pod));
    else if (each.step === 'deleted') store.remove(objectOf(each.pod));
    else {
      const pods = each.pods.filter(({ namespace }) => each.namespace === undefined || namespace === each.namespace);
      const listed = new Map(pods.map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
      store.replace(
        [...listed.values()].map((pod) => store.entryOf(objectOf(pod))),
        each.namespace,
      );
    }
  };
  return { index, store, take };
}

describe('the index of pods', () => {
  it('answers as a scan of the watch cache would, in the same order, whatever comes, changes, goes or is listed anew', () => {
    fc.assert(
      fc.property(fc.array(selector, { minLength: 1, maxLength: 4 }), fc.array(step), (selectors, steps) => {
        const { index, store, take } = followed();
        const answersAsScan = (wanted: LabelSelector): void => {
          for (const namespace of namespaces) {
            const scan = store.list(namespace).filter((pod) => isSelected(wanted, pod.labels));
            expect(index.selected(namespace, wanted)).toEqual(scan);
          }
        };
        for (const each of steps) {
          if (each.step === 'asked') answersAsScan(selectors[each.selector % selectors.length] ?? {});
          else take(each);
        }
        for (const wanted of selectors) answersAsScan(wanted);
        for (const pod of store.list()) {
          expect(index.find(pod.namespace, pod.uid)).toBe(pod);
          expect(index.find('other', pod.uid)).toBeUndefined();
        }
      }),
      runs(500),
    );
  });

  it('does not find a pod that is gone', () => {
    const { index, store, take } = followed();
    take({ step: 'put', pod: { namespace: 'shop', name: 'p', labels: {}, isNew: true } });
    const [pod] = store.list();
    take({ step: 'deleted', pod: { namespace: 'shop', name: 'p', labels: {}, isNew: false } });
    expect(index.find('shop', pod?.uid ?? '')).toBeUndefined();
  });
});

/** So many pods of each app, every look at whose labels is counted by app. */
function counted(apps: number, podsOfEach: number, now = () => 0) {
  const index = createPodIndex(now);
  const looks = new Map<string, number>();
  const podOf = (app: string, n: number): PodView => {
    const labels = { app, tier: 'web' };
    const pod = { uid: `${app}-${n}`, name: `${app}-${n}`, namespace: 'shop', phase: 'Running' } as PodView;
    return Object.defineProperty(pod, 'labels', {
      get: () => {
        looks.set(app, (looks.get(app) ?? 0) + 1);
        return labels;
      },
    });
  };
  const names = Array.from({ length: apps }, (_, n) => `app-${n}`);
  for (const app of names) for (let n = 0; n < podsOfEach; n++) index.onChange('added', podOf(app, n));
  return { index, looks, names, podOf };
}

/** Asks for the pods of apps by selectors that note when they are looked at. */
function judging(index: PodIndex, names: string[]) {
  const judged: string[] = [];
  const selectorsOf = (app: string): LabelSelector => ({
    get matchLabels() {
      judged.push(app);
      return selectorOf(app).matchLabels;
    },
  });
  const selectors = new Map(names.map((app) => [app, selectorsOf(app)]));
  return { judged, ask: (app: string) => index.selected('shop', selectors.get(app) ?? {}) };
}

/** Selects an app by what all have in common, and by its name. */
const selectorOf = (app: string): LabelSelector => ({ matchLabels: { tier: 'web', app } });

describe('what a poll costs', () => {
  it('is nothing of the pods that its selector does not select, nor of its own while they stay', () => {
    const { index, looks, names } = counted(50, 3);
    for (const app of names) index.selected('shop', selectorOf(app));
    looks.clear();
    for (const app of names) {
      expect(index.selected('shop', selectorOf(app)).map(({ name }) => name)).toEqual([
        `${app}-0`,
        `${app}-1`,
        `${app}-2`,
      ]);
      expect(index.find('shop', `${app}-1`)?.name).toBe(`${app}-1`);
    }
    expect(looks.size).toBe(0);
  });

  it('is not more for the first poll than a look at each pod for each label, however many apps there are', () => {
    const { index, looks, names } = counted(50, 3);
    looks.clear();
    index.selected('shop', selectorOf('app-0'));
    const total = () => [...looks.values()].reduce((sum, n) => sum + n, 0);
    expect(total()).toBeLessThanOrEqual(2 * 150 + 3);
    looks.clear();
    for (const app of names.slice(1)) index.selected('shop', selectorOf(app));
    expect(total()).toBe(49 * 3);
  });

  it('is paid by the watch for a pod that changes: only the selectors that may select it are looked at, and none while its labels stay', () => {
    const { index, names, podOf } = counted(50, 3);
    const { judged, ask } = judging(index, names);
    for (const app of names) ask(app);
    judged.length = 0;
    index.onChange('modified', podOf('app-7', 1));
    expect(judged).toEqual([]);
    index.onChange('added', podOf('app-7', 3));
    index.onChange('deleted', podOf('app-9', 0));
    expect(judged).toEqual(['app-7']);
    expect(index.selected('shop', selectorOf('app-7'))).toHaveLength(4);
    expect(index.selected('shop', selectorOf('app-9'))).toHaveLength(2);
  });

  it('is paid no more for a selector for which nobody has asked in twenty minutes', () => {
    let now = 0;
    const { index, names, podOf } = counted(3, 1, () => now);
    const { judged, ask } = judging(index, names);
    for (const app of names) ask(app);
    for (now = 0; now <= 20 * 60_000; now += 60_000) ask('app-0');
    judged.length = 0;
    for (const app of names) index.onChange('added', podOf(app, 1));
    expect(judged).toEqual(['app-0']);
    expect(ask('app-1').map(({ name }) => name)).toEqual(['app-1-0', 'app-1-1']);
  });
});
