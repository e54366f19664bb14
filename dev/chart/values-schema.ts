import { configurationTable, patchKind, variables } from '../../src/config/variables.ts';
import { variableSchema } from './config-schema.ts';

type Schema = Record<string, unknown>;

/** Variables that other values set, or the chart itself. */
const setElsewhere =
  /^(KCO_ENABLED_ACTIONS|KCO_LEADER_ELECTION|KCO_PATCH_KINDS|KCO_WATCH_NAMESPACES|KCO_TEMPORAL_(?!METRICS_PORT)\w+|KUBECONFIG|POD_NAME(SPACE)?)$/;

const text: Schema = { type: 'string' };
const flag: Schema = { type: 'boolean' };
const count: Schema = { type: 'integer', minimum: 0 };
const atLeastOne: Schema = { type: 'integer', minimum: 1 };
const countOrPercentage: Schema = {
  type: ['integer', 'string'],
  minimum: 0,
  pattern: '^([0-9]+|(100|[0-9]{1,2})%)$',
};
const map: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const anything: Schema = { type: 'object' };
const objects: Schema = { type: 'array', items: { type: 'object' } };
const texts: Schema = { type: 'array', items: { type: 'string', minLength: 1 } };
const dnsLabel: Schema = { type: 'string', pattern: '^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$' };
const pullPolicy: Schema = { enum: ['Always', 'IfNotPresent', 'Never'] };
const duration: Schema = { type: 'string', pattern: '^([0-9]+(ms|s|m|h))+$' };

const closed = (properties: Record<string, Schema>): Schema => ({
  type: 'object',
  additionalProperties: false,
  properties,
});

/** Those that other values set are let through: the templates refuse them with the name of that value. */
const config = closed(
  Object.fromEntries(
    configurationTable().map((row) => [
      row.name,
      setElsewhere.test(row.name) ? { description: 'Not taken here: another value sets it.' } : variableSchema(row),
    ]),
  ),
);

const action = closed({ enabled: flag });
const patchable: Schema = {
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    required: ['apiGroups', 'resources'],
    properties: {
      // Every resource of every group would be the whole cluster, to whoever may write a TargetApp.
      apiGroups: { type: 'array', minItems: 1, items: { type: 'string', not: { const: '*' } } },
      resources: { type: 'array', minItems: 1, items: { type: 'string', minLength: 1, not: { pattern: '\\*' } } },
      resourceNames: texts,
    },
  },
};

const temporal = closed({
  address: { type: 'string', pattern: '^$|^[A-Za-z0-9._-]+:[0-9]{1,5}$|^\\[[0-9a-fA-F:.]+\\]:[0-9]{1,5}$' },
  namespace: { type: 'string', minLength: 1 },
  taskQueue: { type: 'string', minLength: 1 },
  webUrl: { type: 'string', pattern: '^$|^https?://' },
  tls: closed({
    enabled: flag,
    serverName: text,
    ca: closed({ secretName: text, key: text }),
    client: closed({ secretName: text }),
  }),
  apiKey: closed({ secretName: text, key: text }),
  devServer: closed({
    enabled: flag,
    image: closed({ repository: text, tag: text, pullPolicy }),
    persistence: closed({ enabled: flag, size: text, storageClass: text }),
    resources: anything,
  }),
});

const properties: Record<string, Schema> = {
  // Helm hands these to a subchart, and a parent chart may set them.
  global: anything,
  image: closed({
    repository: { type: 'string', minLength: 1 },
    tag: text,
    digest: { type: 'string', pattern: '^$|^sha256:[0-9a-f]{64}$' },
    pullPolicy,
  }),
  imagePullSecrets: objects,
  replicaCount: count,
  autoscaling: closed({
    enabled: flag,
    minReplicas: atLeastOne,
    maxReplicas: atLeastOne,
    targetCPUUtilizationPercentage: atLeastOne,
  }),
  leaderElection: closed({ enabled: flag }),
  nameOverride: text,
  fullnameOverride: text,
  crds: closed({ enabled: flag, keep: flag }),
  temporal,
  config,
  watchNamespaces: { type: 'array', items: dnsLabel },
  actions: closed({
    restart_pod: action,
    scale_deployment: action,
    webhook: action,
    exec_command: action,
    patch_resource: closed({
      enabled: flag,
      resources: patchable,
      kinds: { type: 'array', items: { type: 'string', pattern: patchKind.source } },
      create: flag,
    }),
  }),
  rbac: closed({ create: flag, aggregate: flag }),
  serviceAccount: closed({ create: flag, name: text, annotations: map }),
  podAnnotations: map,
  podLabels: map,
  podSecurityContext: anything,
  securityContext: anything,
  resources: anything,
  terminationGracePeriodSeconds: count,
  nodeSelector: map,
  tolerations: objects,
  affinity: anything,
  topologySpreadConstraints: objects,
  priorityClassName: text,
  podDisruptionBudget: closed({ enabled: flag, maxUnavailable: countOrPercentage }),
  service: closed({ annotations: map }),
  networkPolicy: closed({ enabled: flag, ingressFrom: objects, egress: objects }),
  serviceMonitor: closed({ enabled: flag, labels: map, interval: duration, scrapeTimeout: duration }),
  prometheusRule: closed({ enabled: flag, labels: map, runbookUrl: text }),
  grafanaDashboard: closed({ enabled: flag, labels: map, annotations: map }),
  extraEnv: objects,
  extraVolumes: objects,
  extraVolumeMounts: objects,
  extraObjects: objects,
};

/** The JSON schema by which Helm refuses values that mean nothing. */
export const valuesSchema = (): Schema => ({
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Values of the kco-operator chart',
  ...closed(properties),
});

/** Variables that the chart sets by other values than `config`; every one is of the environment. */
export const variablesOfOtherValues = (): string[] =>
  Object.keys(variables.shape).filter((name) => setElsewhere.test(name));
