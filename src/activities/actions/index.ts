import type { ActionName } from '../../api/actions.ts';
import type { Http } from '../../clients/http.ts';
import type { Kube } from '../../clients/kube.ts';
import { createExecCommand } from './exec-command.ts';
import { createPatchResource } from './patch-resource.ts';
import { createRestartPod } from './restart-pod.ts';
import { createScaleDeployment } from './scale-deployment.ts';
import { createWebhook } from './webhook.ts';

/** What actions reach the world with. */
export interface ActionClients {
  kube: Kube;
  http: Http;
}

/** The table of actions, in alphabetical order. One that the API offers and this table lacks is a compile error. */
export const createActions = ({ kube, http }: ActionClients) =>
  ({
    exec_command: createExecCommand({ kube }),
    patch_resource: createPatchResource({ kube }),
    restart_pod: createRestartPod({ kube }),
    scale_deployment: createScaleDeployment({ kube }),
    webhook: createWebhook({ http }),
  }) satisfies Record<ActionName, unknown>;
