// The folder rules: who may import whom. Reasons are in docs/architecture.md.
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { pathNot: [`^src/${from}/`, ...allowed] },
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
    only('domain-is-pure', 'domain', [], 'domain is values in, values out: no Node, no zod, no I/O.'),
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
    {
      name: 'workflows-type-imports',
      comment: 'Types may come from api and activities, nothing else.',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { path: '^src/', pathNot: ['^src/(workflows|domain|api|activities)/'] },
    },
    {
      name: 'api-uses-domain',
      comment: 'api is what users write; it may use domain only.',
      severity: 'error',
      from: { path: '^src/api/' },
      to: { path: '^src/', pathNot: ['^src/(api|domain)/'] },
    },
    {
      name: 'activities-use',
      comment: 'activities use clients, domain and api.',
      severity: 'error',
      from: { path: '^src/activities/' },
      to: { path: '^src/', pathNot: ['^src/(activities|clients|domain|api)/'] },
    },
    {
      name: 'clients-use',
      comment: 'clients are thin adapters: api and domain only.',
      severity: 'error',
      from: { path: '^src/clients/' },
      to: { path: '^src/', pathNot: ['^src/(clients|domain|api)/'] },
    },
    {
      name: 'temporal-client',
      comment: 'Only the controller and clients/temporal talk to Temporal as a client.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/controller/', '^src/clients/temporal', '^src/main\\.ts$'] },
      to: { path: 'node_modules/@temporalio/client' },
    },
    {
      name: 'kubernetes-client',
      comment: 'Only clients/kube knows the Kubernetes client library.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/clients/kube'] },
      to: { path: 'node_modules/@kubernetes/client-node' },
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
