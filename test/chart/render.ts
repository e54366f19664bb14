import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { createToolLocator } from '../../dev/servers/locate-tool.ts';

/** An object of the chart, as far as tests look into it. */
export interface Rendered {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: whatever Kubernetes' types are; the assertions say what is expected
  [field: string]: any;
}

/** Helm refused. */
export class HelmError extends Error {}

export const chart = join(import.meta.dirname, '..', '..', 'charts', 'kco-operator');

/** Runs helm without a cluster, with these values; `--set-json` keeps their types. */
export async function helm(args: string[], values: Record<string, unknown> = {}): Promise<string> {
  const binary = await createToolLocator().locate('helm');
  const given = Object.entries(values).map(([path, value]) => `--set-json=${path}=${JSON.stringify(value)}`);
  return new Promise((resolve, reject) => {
    execFile(binary, [...args, ...given], { maxBuffer: 2 ** 25 }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new HelmError(`${stderr}${stdout}`)),
    );
  });
}

/** The chart as text. */
export const renderText = (values: Record<string, unknown> = {}): Promise<string> =>
  helm(['template', 'kco-operator', chart, '--namespace', 'kco-system', '--kube-version', '1.34.0'], values);

/** The chart as objects. */
export async function render(values: Record<string, unknown> = {}): Promise<Rendered[]> {
  return parseAllDocuments(await renderText(values))
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

/** The only object of a kind. */
export const only = (objects: Rendered[], kind: string, name = ''): Rendered => {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name.includes(name));
  const [object] = found;
  if (object === undefined || found.length > 1) throw new Error(`${found.length} objects of kind ${kind}`);
  return object;
};

interface PolicyRule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

/** What the ServiceAccount may do, as sorted sentences: `verb resource.group`, and `in <namespace>` for a Role. */
export const permissions = (objects: Rendered[]): string[] => {
  const roles = objects.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
  const rights = roles.flatMap(({ kind, metadata, ['rules']: rules }) =>
    (rules as PolicyRule[]).flatMap(({ apiGroups, resources, verbs, resourceNames }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) =>
          verbs.map((verb) => {
            const named = resourceNames ? ` ${resourceNames.join(',')}` : '';
            const where = kind === 'Role' ? ` in ${metadata.namespace}` : '';
            return `${verb} ${resource}${group && `.${group}`}${named}${where}`;
          }),
        ),
      ),
    ),
  );
  return [...new Set(rights)].sort();
};
