import { apply, images, isReady, kubectl, list, type Pod, tryKubectl } from './cluster.ts';
import { until } from './command.ts';

/** The namespace with the watched application. */
export const shop = 'kco-e2e-shop';

const restricted = {
  pod: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
  container: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
};

/** A sample application, with probes that a kubelet asks. */
export const sampleApp = (replicas = 3, name = 'shop'): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: shop },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        securityContext: restricted.pod,
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'app',
            image: images.sampleApp,
            imagePullPolicy: 'IfNotPresent',
            securityContext: restricted.container,
            ports: [{ name: 'http', containerPort: 8080 }],
            livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 5, timeoutSeconds: 30 },
            readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 2, timeoutSeconds: 30 },
          },
        ],
      },
    },
  },
});

const receiverScript = `
const { createServer } = require('node:http');
createServer((request, response) => {
  let body = '';
  request.on('data', (part) => (body += part));
  request.on('end', () => {
    console.log(JSON.stringify({ key: request.headers['idempotency-key'], path: request.url, body }));
    const wait = Number(new URL(request.url, 'http://x').searchParams.get('wait') ?? 0);
    setTimeout(() => response.end('ok'), wait);
  });
}).listen(8080);
process.on('SIGTERM', () => process.exit(0));
`;

/** A receiver of webhooks that writes each one down. */
export const receiver = (): object[] => [
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'receiver', namespace: shop, labels: { app: 'receiver' } },
    spec: {
      securityContext: restricted.pod,
      terminationGracePeriodSeconds: 1,
      containers: [
        {
          name: 'receiver',
          image: images.sampleApp,
          imagePullPolicy: 'IfNotPresent',
          command: ['node', '-e', receiverScript],
          securityContext: restricted.container,
        },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'receiver', namespace: shop },
    spec: { selector: { app: 'receiver' }, ports: [{ port: 80, targetPort: 8080 }] },
  },
];

/** One request that the receiver got. */
export interface Received {
  key: string;
  path: string;
  body: string;
}

/** What the receiver got on a path. */
export const received = async (path: string): Promise<Received[]> =>
  (await kubectl('logs', 'receiver', '-n', shop))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Received)
    .filter((each) => each.path.startsWith(path));

/** The pods that webhooks on a path were about, as the default payload says. */
export const podsToldOn = async (path: string): Promise<string[]> =>
  (await received(path)).map(({ body }) => (JSON.parse(body) as { pod_name: string }).pod_name);

const node = (script: string): string[] => ['node', '--input-type=module', '-e', script];

/** Runs JavaScript in a pod of the application. */
export const inPod = (pod: string, script: string): Promise<string> =>
  kubectl('exec', pod, '-n', shop, '--', ...node(script));

/**
 * Changes what one pod says about itself, e.g. `setHealth(health: "unhealthy")`; answers with what the pod said. A pod may be
 * restarted for it before its answer is through, so that counts and not how the command ended.
 */
export const mutate = async (pod: string, mutation: string): Promise<string> => {
  const query = JSON.stringify(`mutation { ${mutation} { health } }`);
  const script = `const r = await fetch('http://127.0.0.1:8080/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: ${query} }) }); console.log(await r.text());`;
  const { stdout, stderr } = await tryKubectl('exec', pod, '-n', shop, '--', ...node(script));
  if (!stdout.includes('"health"')) throw new Error(`${pod} does not ${mutation}: ${stdout}${stderr}`);
  return stdout;
};

/** The pods of the application that are not being deleted. */
export const shopPods = async (): Promise<Pod[]> =>
  (await list<Pod>('pods', shop, '-l', 'app=shop')).filter(({ metadata }) => metadata.deletionTimestamp === undefined);

/** Waits until so many pods are Ready and no others are left; they are healthy then. */
export const settled = (replicas = 3, labels = 'app=shop'): Promise<Pod[]> =>
  until(
    `${replicas} ready pods of ${labels}`,
    async () => {
      const pods = await list<Pod>('pods', shop, '-l', labels);
      return pods.length === replicas && pods.every(isReady) && pods;
    },
    { seen: () => kubectl('get', 'pods', '-n', shop), timeoutMs: 120_000 },
  );

/** A fresh application: as many replicas as given, every pod as it started. */
export const freshShop = async (replicas = 3): Promise<Pod[]> => {
  await apply(sampleApp(replicas));
  const pods = await settled(replicas);
  for (const { metadata } of pods) await mutate(metadata.name, 'reset');
  return settled(replicas);
};
