// The folder rules: who may import whom. Reasons are in docs/architecture.md.
const { readdirSync } = require('node:fs');

/** The kinds: each has a folder of its name in api, and where it has more of its own, one in other rooms or a file. */
const shared = ['common', 'crd'];
const kinds = readdirSync('src/api', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !shared.includes(entry.name))
  .map(({ name }) => name)
  .join('|');
const ofAKind = `^src/(api|domain|workflows|activities|controller/kinds|telemetry/metrics)/(${kinds})(/|\\.ts$)`;
/** Where the kinds are put into tables, and where one has settings of its own. */
const tables =
  '^src/(api/kinds|workflows/index|activities/index|controller/kinds/index|telemetry/metrics/index|worker/(sinks|operator-activities)|config/variables)\\.ts$';

/** A room and the other rooms that it may use. */
const room = (name, others, comment) => ({
  name: `${name}-uses`,
  comment,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: `^src/(${[name, ...others].join('|')})/` },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle hides which module is the lower one.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolved',
      comment: 'Every import must exist.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'general-knows-no-kind',
      comment: 'What is general serves every kind; it learns of one through a table or an argument.',
      severity: 'error',
      from: { path: '^src/', pathNot: [ofAKind, tables] },
      to: { path: ofAKind },
    },
    {
      name: 'kinds-are-apart',
      comment: 'A kind can be taken out, or read, without the others.',
      severity: 'error',
      from: { path: ofAKind },
      to: { path: ofAKind, pathNot: '^src/[a-z/]+/$2(/|\\.ts$)' },
    },
    {
      name: 'domain-is-pure',
      comment: 'domain is values in, values out: no Node, no zod, no I/O.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'workflows-stay-light',
      comment:
        'Workflow code runs in the sandbox and is paid for in every cached workflow: values from domain and @temporalio/workflow only, types from api and activities.',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: {
        pathNot: ['^src/workflows/', '^src/domain/', 'node_modules/@temporalio/(workflow|common)/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    room('workflows', ['domain', 'api', 'activities'], 'Types may come from api and activities, nothing else.'),
    room('api', ['domain'], 'api is what users write; it may use domain only.'),
    room('activities', ['clients', 'telemetry', 'domain', 'api'], 'activities reach the world through clients.'),
    room('clients', ['domain', 'api'], 'clients are thin adapters: api and domain only.'),
    room('telemetry', ['clients', 'domain'], 'telemetry is told what happened and asks nobody.'),
    room(
      'server',
      ['clients', 'telemetry', 'lifecycle', 'domain'],
      'server answers from what its owners already know.',
    ),
    room('lifecycle', [], 'lifecycle starts, repeats and ends whatever it is given, and knows none of it.'),
    room('config', ['domain', 'api'], 'config is the environment, read once.'),
    room(
      'controller',
      ['activities', 'workflows', 'clients', 'telemetry', 'server', 'lifecycle', 'domain', 'api'],
      'controller takes what Kubernetes tells to Temporal; it runs no worker.',
    ),
    room(
      'worker',
      ['activities', 'workflows', 'clients', 'telemetry', 'lifecycle', 'config', 'domain', 'api'],
      'worker runs workflows and activities, and knows nothing of watches.',
    ),
    {
      name: 'temporal-client',
      comment: 'Only the controller and clients/temporal talk to Temporal as a client.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/controller/', '^src/clients/temporal/'] },
      to: { path: 'node_modules/@temporalio/client' },
    },
    {
      name: 'kubernetes-client',
      comment: 'Only clients/kubernetes knows the Kubernetes client library.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/clients/kubernetes/'] },
      to: { path: 'node_modules/@kubernetes/client-node' },
    },
    {
      name: 'http-server',
      comment: 'Only server answers HTTP; what is behind its routes takes values and returns values.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/server/'] },
      to: { path: 'node_modules/(@hono|hono)/' },
    },
    {
      name: 'nobody-imports-main',
      comment: 'main is the composition root.',
      severity: 'error',
      from: {},
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'src-stands-alone',
      comment: 'What ships does not need what tests it.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|dev|bench)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.json'],
    },
  },
};
