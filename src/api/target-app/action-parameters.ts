import { z } from 'zod';
import { cel } from '../common/cel.ts';
import { Duration } from '../common/duration.ts';
import { JsonValue } from '../common/json-value.ts';
import { mapMatching } from '../common/matching.ts';
import { address } from './address.ts';

const name = (description: string) => z.string().min(1).max(253).describe(description);

const seconds = (description: string) => z.int().min(1).max(86_400).optional().describe(description);

const url = address({
  userinfo: '^[a-zA-Z]+://[^/?#]*@',
  form: '^https?://(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?)(:[0-9]{1,5})?([/?][^ ]*)?$',
  problem: 'is not a URL that can be called: use http:// or https:// and a host, e.g. https://hooks.example.com/kco',
});

/** Parameters of `restart_pod`. */
export const RestartPodParameters = z.strictObject({
  gracePeriod: z
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe("Seconds the pod is given to stop. Default: the pod's own terminationGracePeriodSeconds."),
  evict: z
    .boolean()
    .default(false)
    .describe(
      'Ask through the Eviction API, which honours PodDisruptionBudgets: the action waits for as long as a budget refuses. Default false: delete the pod.',
    ),
  pods: z
    .enum(['all', 'triggering'])
    .default('triggering')
    .describe(
      'Which pods to restart: triggering (default), those that made the rule fire, or all that the selector matches. Several are restarted one after the other, each Ready before the next. Where graphqlEndpoint is a URL there are no triggering pods, and all must be said; where a rule fires for each pod, all is refused.',
    ),
  allowUnmanaged: z
    .boolean()
    .default(false)
    .describe(
      'Also delete pods that nobody would create again: bare pods, those of a finished Job, static pods of a node. Default false: such a pod is left alone, and the rule says so.',
    ),
  startupGrace: Duration.optional().describe(
    "How long a pod that was never Ready is given to start before it may be restarted, e.g. 10m; 0s: no time. Also how long a replacement may take to become Ready before the pods after it are left alone. Default: what the pod's startupProbe allows, without one 5m.",
  ),
});
export type RestartPodParameters = z.infer<typeof RestartPodParameters>;

/** Parameters of `scale_deployment`. */
export const ScaleDeploymentParameters = z.strictObject({
  replicas: z
    .int()
    .min(0)
    .max(1000)
    .describe('How many replicas there shall be: an absolute number, so that doing it twice changes nothing.'),
  deployment: name(
    'Name of what is scaled, in the same namespace. Default: the owner of the triggering pod.',
  ).optional(),
  kind: z
    .enum(['Deployment', 'StatefulSet'])
    .default('Deployment')
    .describe('Kind of what is scaled: Deployment (default) or StatefulSet.'),
});
export type ScaleDeploymentParameters = z.infer<typeof ScaleDeploymentParameters>;

/** Parameters of `patch_resource`. */
export const PatchResourceParameters = z.strictObject({
  apiVersion: name('API version of the object to patch, e.g. v1 or apps/v1.'),
  kind: name('Kind of the object to patch, e.g. ConfigMap. What the operator may patch is what its RBAC gives it.'),
  name: name('Name of the object to patch, in the same namespace.'),
  patchType: z
    .enum(['apply', 'json', 'merge', 'strategic'])
    .default('merge')
    .describe(
      'How the patch is meant: merge (default, RFC 7396), strategic (built-in kinds only), json (RFC 6902: a list of operations) or apply (server-side apply with the field manager kco-action).',
    ),
  patch: JsonValue.describe(
    'The patch: an object, or for json a list of operations. A list that appends must carry a test operation, because it may be sent twice. Strings may hold templates such as {{new_value}}. A null, which deletes a field in a merge patch, is dropped by client-side kubectl apply: use kubectl apply --server-side.',
  ),
});
export type PatchResourceParameters = z.infer<typeof PatchResourceParameters>;

const Url = url.text.meta({
  description: 'Where the request goes: an http:// or https:// URL without user name and password. No templates.',
  ...cel(...url.rules),
});

const Headers = mapMatching(z.string().max(4096), {
  pattern: '^[-!#$%&*+.^_|~0-9A-Za-z]+$',
  problem: 'a header name has letters, digits and hyphens only, e.g. Content-Type',
  description: 'Headers of the request, at most 32. Values may hold templates such as {{pod_name}}.',
  maxLength: 256,
  maxProperties: 32,
});

/** Parameters of `webhook`. */
export const WebhookParameters = z.strictObject({
  url: Url,
  method: z.enum(['DELETE', 'GET', 'PATCH', 'POST', 'PUT']).default('POST').describe('HTTP method. Default POST.'),
  headers: Headers.optional(),
  timeout: seconds('Seconds that one attempt may take, from connecting to the last byte. Default: 30.'),
  deliverFor: Duration.optional().describe(
    'How long a request that its receiver does not take is sent again, e.g. 10m. Default: 24h. What could not be delivered then stands in status.undelivered. Takes the place of retries, which a webhook does not heed.',
  ),
  payload: JsonValue.optional().describe(
    'What is sent: any JSON. Strings may hold templates such as {{tapp_name}}; a string that is one template only keeps the type of the value. Default: a summary of what happened.',
  ),
  expectStatus: z
    .array(z.int().min(100).max(599))
    .min(1)
    .max(16)
    .optional()
    .describe('HTTP status codes that mean success. Default: every 2xx.'),
});
export type WebhookParameters = z.infer<typeof WebhookParameters>;

/** Parameters of `exec_command`. */
export const ExecCommandParameters = z.strictObject({
  command: z
    .array(z.string().max(4096))
    .min(1)
    .max(64)
    .describe(
      'The program and its arguments, as a list; there is no shell unless it is named. Arguments after the first may hold templates such as {{pod_name}}.',
    ),
  timeout: seconds('Seconds that the command may take. Default: the timeout of the action.'),
  container: z
    .string()
    .min(1)
    .max(63)
    .optional()
    .describe(
      'Container to run in. Default: the one that the annotation kubectl.kubernetes.io/default-container of the pod names, else its first.',
    ),
  workingDir: z
    .string()
    .max(1024)
    .refine((path) => path.startsWith('/'), { error: 'must be an absolute path, e.g. /app' })
    .meta({
      description: 'Directory to run in: an absolute path. Default: the working directory of the container.',
      ...cel({ rule: "self.startsWith('/')", message: 'must be an absolute path, e.g. /app' }),
    })
    .optional(),
  idempotent: z
    .boolean()
    .default(false)
    .describe(
      'Whether running the command twice is as good as once. Only then is it repeated when its outcome got lost. Default false: at most once.',
    ),
});
export type ExecCommandParameters = z.infer<typeof ExecCommandParameters>;
