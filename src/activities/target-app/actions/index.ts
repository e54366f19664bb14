import type { ActionName } from '../../../api/target-app/actions.ts';
import type { Http } from '../../../clients/http/http-client.ts';
import type { Kube } from '../../../clients/kubernetes/client.ts';
import { createExecCommand } from './exec-command.ts';
import { createPatchResource } from './patch-resource.ts';
import { createRestartPod } from './restart-pod.ts';
import { createScaleDeployment } from './scale-deployment.ts';
import { createWebhook } from './webhook.ts';

/** What actions reach the world with, and how far. */
export interface ActionsOptions {
  kube: Kube;
  http: Http;
  /** What `patch_resource` may patch, as `Kind` or `Kind.group`; absent: whatever RBAC allows. */
  patchKinds?: readonly string[];
}

/** The table of actions, in alphabetical order. One that the API offers and this table lacks is a compile error. */
export const createActions = ({ kube, http, patchKinds }: ActionsOptions) =>
  ({
    exec_command: createExecCommand({ kube }),
    patch_resource: createPatchResource({ kube, allowedKinds: patchKinds }),
    restart_pod: createRestartPod({ kube }),
    scale_deployment: createScaleDeployment({ kube }),
    webhook: createWebhook({ http }),
  }) satisfies Record<ActionName, unknown>;
