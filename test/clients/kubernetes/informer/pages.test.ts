import { setImmediate as nextTask } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Kube, KubeObject, ListOptions, ResourceRef } from '../../../../src/clients/kubernetes/client.ts';
import { createInformer, type Informer } from '../../../../src/clients/kubernetes/informer/informer.ts';

const ref: ResourceRef = { apiVersion: 'v1', kind: 'Pod', plural: 'pods', namespaced: true };
const [pages, pageSize] = [4, 5];

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What happened: which page was asked for, which object was cut down to what is kept of it. */
let story: string[];
/** How many objects of earlier pages were still in memory when each page was asked for. */
let untrimmed: number[];
let cache: Informer<string>;

/** An API server with several pages, which says of each when it is asked for, and what is left of those before. */
function pagedServer(): Pick<Kube, 'list' | 'watch'> {
  const sent: WeakRef<KubeObject>[] = [];
  const list = async (_: ResourceRef, options: ListOptions = {}) => {
    const page = Number(options.continue ?? 0);
    story.push(`page ${page} of ${options.limit}`);
    // A reference that was made in this task keeps its object for the rest of it.
    await nextTask();
    collectGarbage();
    untrimmed.push(sent.filter((each) => each.deref() !== undefined).length);
    await nextTask();
    const items = Array.from({ length: pageSize }, (_, n): KubeObject => {
      const name = `pod-${page}-${n}`;
      return { metadata: { namespace: 'shop', name, uid: `uid-${name}`, resourceVersion: `${story.length}` } };
    });
    for (const object of items) sent.push(new WeakRef(object));
    return { items, metadata: { resourceVersion: '9', ...(page < pages - 1 && { continue: `${page + 1}` }) } };
  };
  const watch = async (_: ResourceRef, { signal }: { signal: AbortSignal }) =>
    (async function* (): AsyncGenerator<Uint8Array> {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    })();
  return { list: list as unknown as Kube['list'], watch };
}

afterEach(() => cache.stop());

describe('a list in pages', () => {
  it('has no more than one page in memory that is not cut down yet: a page is trimmed and let go before the next is asked for', async () => {
    story = [];
    untrimmed = [];
    cache = createInformer<string>({
      kube: pagedServer(),
      ref,
      transform: ({ metadata: { name } }) => {
        story.push(`trimmed ${name}`);
        return name;
      },
      timing: { pageSize },
    });
    cache.start();
    await cache.synced;
    const told = Array.from({ length: pages }, (_, page) => [
      `page ${page} of ${pageSize}`,
      ...Array.from({ length: pageSize }, (__, n) => `trimmed pod-${page}-${n}`),
    ]);
    expect(story).toEqual(told.flat());
    expect(untrimmed).toEqual(Array(pages).fill(0));
    expect(cache.size).toBe(pages * pageSize);
  });
});
