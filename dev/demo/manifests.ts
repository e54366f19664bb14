import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { JsonObject } from '../../src/domain/json.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The name of the sample application, of its Deployment and of its TargetApp. */
export const appName = 'my-app';
/** Where the other examples go: suspended, to be looked at and tried. */
export const examplesNamespace = 'examples';

/** An object as it is written in YAML. */
export interface Manifest extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** The CustomResourceDefinitions. */
export const crds = (): Manifest[] =>
  readdirSync(join(root, 'crds')).map((file) => parse(read(join('crds', file))) as Manifest);

/** The sample application as pods that reach it at this port. */
export function deployment(port: number): Manifest {
  const labels = { app: appName };
  const container = { name: 'app', image: 'sample-app', ports: [{ name: 'http', containerPort: port }] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: appName, namespace: 'default' },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container], terminationGracePeriodSeconds: 30 } },
    },
  };
}

/** What the basic example is changed to for the demo. */
export interface Fitting {
  /** Seconds. */
  pollingInterval: number;
  webhookUrl: string;
  /** Directory of this machine where commands run that are executed in a pod. */
  workingDir: string;
}

interface Rule {
  action: string;
  parameters: JsonObject;
}

/**
 * `examples/basic-targetapp.yaml` with what this machine needs: a shorter interval, the address of the demo's webhook
 * receiver, and the directory with the script, because kwok's pods have no file system of their own.
 */
export function basicTargetApp({ pollingInterval, webhookUrl, workingDir }: Fitting): Manifest {
  const manifest = parse(read('examples/basic-targetapp.yaml')) as Manifest & { spec: { actions: Rule[] } };
  const fits: Record<string, JsonObject> = {
    exec_command: { command: ['./health-check.sh', '--fix'], workingDir },
    webhook: { url: webhookUrl },
  };
  const actions = manifest.spec.actions.map((rule) => ({
    ...rule,
    parameters: { ...rule.parameters, ...fits[rule.action] },
  }));
  return { ...manifest, spec: { ...manifest.spec, pollingInterval, actions } } as unknown as Manifest;
}

/** The other examples, in a namespace of their own and suspended: they would all act on the same application. */
export const otherExamples = (): Manifest[] =>
  readdirSync(join(root, 'examples'))
    .filter((file) => file.endsWith('.yaml') && file !== 'basic-targetapp.yaml')
    .flatMap((file) => parseAllDocuments(read(join('examples', file))).map((one) => one.toJS() as Manifest))
    .map((manifest) => ({
      ...manifest,
      metadata: { ...manifest.metadata, namespace: examplesNamespace },
      spec: { ...(manifest['spec'] as JsonObject), suspend: true },
    }));
