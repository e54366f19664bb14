import type { z } from 'zod';
import { isJsonObject, type Json } from '../../domain/json.ts';
import {
  ExecCommandParameters,
  PatchResourceParameters,
  RestartPodParameters,
  ScaleDeploymentParameters,
  WebhookParameters,
} from './action-parameters.ts';
import { patchProblem } from './validation/patch.ts';

/** What the api knows of a kind of action. */
export interface ActionKind<Parameters> {
  /** For `kubectl explain`. */
  description: string;
  /** What its parameters say, for `kubectl explain`. */
  about: string;
  parameters: z.ZodType<Parameters>;
  /** Whether it acts on the pods that made the rule fire: such actions on one pod never run at once. */
  onPods?: boolean;
  /** Whether the pods that made the rule fire say what it acts on. */
  readsPods?: boolean;
  /** Whether a lost attempt may be repeated (false: at most once). */
  repeatable(parameters: Parameters): boolean;
  /** The parameters whose strings are templates; everywhere else `{{` is refused. */
  templated(parameters: Parameters): Json;
  /** The parameters that are taken literally. */
  literal(parameters: Parameters): Json;
  /** What is wrong that neither the schema nor the API server can say, by parameter. */
  problems?(parameters: Parameters): Record<string, string | undefined>;
}

const define = <Schema extends z.ZodObject>(kind: ActionKind<z.infer<Schema>> & { parameters: Schema }) => kind;

const always = (): boolean => true;
const nothing = (): Json => null;

/** The values of a patch: of a list of operations only what is put in place, not where. */
const patchValues = (patch: Json): Json =>
  Array.isArray(patch)
    ? patch.map((operation) => (isJsonObject(operation) ? (operation['value'] ?? null) : null))
    : patch;

const patchPlaces = (patch: Json): Json =>
  Array.isArray(patch)
    ? patch.map((operation) => (isJsonObject(operation) ? { ...operation, value: null } : operation))
    : null;

/** The table of actions, in alphabetical order, by their YAML words. */
export const actionKinds = {
  exec_command: define({
    description:
      'exec_command runs a command in a container of the triggering pod, at most once; switched off until the administrator enables it.',
    about: 'What to run, and how.',
    parameters: ExecCommandParameters,
    onPods: true,
    readsPods: true,
    repeatable: ({ idempotent }) => idempotent,
    templated: ({ command }) => command.slice(1),
    literal: ({ command, container = null, workingDir = null }) => [command[0] ?? null, container, workingDir],
  }),
  patch_resource: define({
    description:
      'patch_resource patches an object of the same namespace; switched off until the administrator enables it.',
    about: 'What to patch, and how.',
    parameters: PatchResourceParameters,
    repeatable: always,
    templated: ({ patch }) => patchValues(patch),
    literal: ({ apiVersion, kind, name, patch }) => [apiVersion, kind, name, patchPlaces(patch)],
    problems: (parameters) => ({ patch: patchProblem(parameters) }),
  }),
  restart_pod: define({
    description:
      'restart_pod deletes or evicts pods so that their owner makes new ones, at most once per episode and pod, and never two of a workload at once.',
    about: 'How to restart; may be left out.',
    parameters: RestartPodParameters,
    onPods: true,
    readsPods: true,
    repeatable: always,
    templated: nothing,
    literal: nothing,
  }),
  scale_deployment: define({
    description: 'scale_deployment sets the number of replicas of a Deployment or StatefulSet.',
    about: 'What to scale, and to how many replicas.',
    parameters: ScaleDeploymentParameters,
    readsPods: true,
    repeatable: always,
    templated: nothing,
    literal: ({ deployment = null }) => deployment,
  }),
  webhook: define({
    description: 'webhook sends an HTTP request, at least once, with an Idempotency-Key that tells repeats.',
    about: 'What to send, and where.',
    parameters: WebhookParameters,
    repeatable: always,
    templated: ({ payload = null, headers = {} }) => [payload, headers],
    literal: ({ url }) => url,
  }),
} satisfies Record<string, unknown>;

/** The YAML word of an action. */
export type ActionName = keyof typeof actionKinds;
export const actionNames = Object.keys(actionKinds) as ActionName[];

/** The kind of an action, for parameters that its own schema has parsed. */
export const actionKindOf = (name: ActionName): ActionKind<unknown> => actionKinds[name] as ActionKind<unknown>;
