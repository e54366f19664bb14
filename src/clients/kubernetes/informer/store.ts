import type { KubeObject } from '../types.ts';

/** What happened to an object, as far as the copy is concerned. */
export type WatchEventType = 'added' | 'deleted' | 'modified';

/** What is kept of an object. */
export interface Entry<T> {
  namespace: string;
  name: string;
  uid: string;
  version: string;
  value: T;
}

export interface StoreOptions<T> {
  transform(object: KubeObject): T;
  onChange(event: WatchEventType, object: T, previous?: T): void;
}

/** The copy itself: objects by namespace and name. A name with another uid is another object. */
export interface Store<T> {
  get(namespace: string, name: string): T | undefined;
  list(namespace?: string): T[];
  size(): number;
  /** What the copy has of an object, or is to have: nothing of the object that is not kept. */
  entryOf(object: KubeObject): Entry<T>;
  put(object: KubeObject): void;
  remove(object: KubeObject): void;
  /** Makes the copy of one namespace (of all, without one) equal to a complete list, and tells the difference. */
  replace(listed: Entry<T>[], namespace?: string): void;
}

type Entries<T> = Map<string, Entry<T>>;

const valuesOf = <T>(entries: Entries<T> | undefined): T[] => [...(entries?.values() ?? [])].map(({ value }) => value);

/** Namespaces and names of the objects in the copy of one namespace (of all, without one) that a complete list lacks. */
const unlisted = <T>(
  copy: Map<string, Entries<T>>,
  entries: Entry<T>[],
  namespace: string | undefined,
): [namespace: string, name: string][] => {
  const listed = new Set(entries.map((entry) => `${entry.namespace}/${entry.name}`));
  const covered = namespace === undefined ? [...copy.keys()] : [namespace];
  return covered.flatMap((each) =>
    [...(copy.get(each)?.keys() ?? [])]
      .filter((name) => !listed.has(`${each}/${name}`))
      .map((name): [string, string] => [each, name]),
  );
};

/** Takes an object out of the copy; undefined when it was not there. */
const removeFrom = <T>(copy: Map<string, Entries<T>>, namespace: string, name: string): Entry<T> | undefined => {
  const entries = copy.get(namespace);
  const old = entries?.get(name);
  entries?.delete(name);
  if (entries?.size === 0) copy.delete(namespace);
  return old;
};

/** How entries come into the copy and go, and how that is told. */
function writesOf<T>(byNamespace: Map<string, Entries<T>>, { transform: trim, onChange }: StoreOptions<T>) {
  const drop = (namespace: string, name: string): void => {
    const old = removeFrom(byNamespace, namespace, name);
    if (old) onChange('deleted', old.value);
  };

  const entryOf = (object: KubeObject): Entry<T> => {
    const { namespace = '', name, uid, resourceVersion: version } = object.metadata;
    const known = byNamespace.get(namespace)?.get(name);
    if (known?.uid === uid && known.version === version) return known;
    return { namespace, name, uid, version, value: trim(object) };
  };

  const set = (entry: Entry<T>): void => {
    const { namespace, name, uid, value } = entry;
    const old = byNamespace.get(namespace)?.get(name);
    if (old === entry) return;
    if (old && old.uid !== uid) drop(namespace, name);
    const entries = byNamespace.get(namespace) ?? new Map();
    byNamespace.set(namespace, entries.set(name, entry));
    if (old?.uid === uid) onChange('modified', value, old.value);
    else onChange('added', value);
  };

  return { entryOf, set, drop };
}

/** An empty copy. Cluster-scoped objects are in the namespace `''`. */
export const createStore = <T>(options: StoreOptions<T>): Store<T> => {
  const byNamespace = new Map<string, Entries<T>>();
  const { entryOf, set, drop } = writesOf(byNamespace, options);

  return {
    entryOf,
    put: (object) => set(entryOf(object)),
    get: (namespace, name) => byNamespace.get(namespace)?.get(name)?.value,
    list: (namespace) =>
      namespace === undefined ? [...byNamespace.values()].flatMap(valuesOf) : valuesOf(byNamespace.get(namespace)),
    size: () => [...byNamespace.values()].reduce((sum, entries) => sum + entries.size, 0),

    remove: ({ metadata: { namespace = '', name, uid } }) => {
      // The event of an older namesake must not take the newer object away.
      if (byNamespace.get(namespace)?.get(name)?.uid === uid) drop(namespace, name);
    },

    replace: (listed, namespace) => {
      // Deletions first: what replaces an object under a new name should not meet it.
      for (const [each, name] of unlisted(byNamespace, listed, namespace)) drop(each, name);
      for (const entry of listed) set(entry);
    },
  };
};
