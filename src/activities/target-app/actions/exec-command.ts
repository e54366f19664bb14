import type { ExecCommandParameters } from '../../../api/target-app/action-parameters.ts';
import type { ExecResult, Kube, KubeObject } from '../../../clients/kubernetes/client.ts';
import { pods } from '../../../clients/kubernetes/pods.ts';
import type { PodRef } from '../../../domain/refs.ts';
import { msOf } from '../../../domain/seconds.ts';
import type { ActionOutcome } from '../../../domain/target-app/action.ts';
import { dryRun, failed, succeeded, unknown } from '../../../domain/target-app/outcomes.ts';
import { containersOf, podView } from '../pod-view.ts';
import { type Action, type ActionContext, Retry } from './action.ts';
import { type Attempted, kubeFailure } from './kube-failure.ts';

type ExecKube = Pick<Kube, 'canI' | 'exec' | 'get' | 'whoAmI'>;

/** Where a command is to run, checked right before it does. */
interface Place {
  pod: PodRef;
  container: string;
}

// Constant text: the directory and the command are arguments to it, never part of it, so nothing needs quoting.
const inDirectory = 'cd "$1" && shift && exec "$@"';

/** The argv that runs a command in a directory. The Kubernetes API has no such field, so this needs /bin/sh in the container. */
export const argvOf = ({ command, workingDir }: Pick<ExecCommandParameters, 'command' | 'workingDir'>): string[] =>
  workingDir === undefined ? command : ['/bin/sh', '-c', inDirectory, 'sh', workingDir, ...command];

/** The pod of that uid and its container, by GET: a name may belong to another pod by now. */
const findPlace = async (
  kube: ExecKube,
  { request, signal, matchingPods }: ActionContext,
  parameters: ExecCommandParameters,
): Promise<Place | ActionOutcome> => {
  const pod = request.pods[0] ?? matchingPods()[0];
  if (!pod) return failed('NoMatchingPods', 'no Running pod matches the selector');
  const found = await kube.get<KubeObject>(pods, { namespace: request.namespace, name: pod.name }, { signal });
  if (found?.metadata.uid !== pod.uid) return failed('PodGone', `the pod ${pod.name} is gone; nothing was run`);
  const containers = containersOf(found);
  const container = parameters.container ?? podView(found).defaultContainer;
  if (container === undefined || !containers.includes(container)) {
    return failed(
      'ContainerNotFound',
      `the pod ${pod.name} has the containers ${containers.join(', ')}, but not ${container}`,
    );
  }
  return { pod, container };
};

/** Terminals and logs must not be steered by what a command prints. */
const readable = (output: string): string =>
  output.replace(/[\p{Cc}]/gu, (each) => (each === '\n' || each === '\t' ? each : ''));

const lostReasons = { Aborted: 'Aborted', ConnectionLost: 'ConnectionLost', Timeout: 'Timeout' } as const;

const outcomeOf = (result: Exclude<ExecResult, { result: 'neverSent' }>, { pod, container }: Place): ActionOutcome => {
  const where = `in ${pod.name}/${container}`;
  const output = readable(result.output);
  if (result.result === 'unknown')
    return unknown(lostReasons[result.reason], `${where}: ${result.message}`, { output });
  if (result.result === 'error')
    return unknown('NodeError', `no exit code ${where}; the node says: ${result.message}`, { output });
  const { code } = result;
  return code === 0
    ? succeeded('Completed', `the command succeeded ${where}`, { code, output })
    : failed('NonZeroExit', `the command exited with ${code} ${where}`, { code, output });
};

const wouldRun = async (
  kube: ExecKube,
  { request, signal }: ActionContext,
  argv: string[],
  { pod, container }: Place,
): Promise<ActionOutcome> => {
  const { allowed } = await kube.canI(
    { verb: 'get', group: '', resource: 'pods', subresource: 'exec', namespace: request.namespace, name: pod.name },
    { signal },
  );
  const right = allowed ? '' : '; it would be refused, because the right to get pods/exec is missing';
  // Arguments stay in the TargetApp: whoever reads Events may not be who may read those.
  const message = `would run ${JSON.stringify(argv[0])} with ${argv.length - 1} arguments in ${pod.name}/${container}${right}`;
  return dryRun(allowed ? 'DryRun' : 'Forbidden', message);
};

const execute = async (
  kube: ExecKube,
  context: ActionContext,
  parameters: ExecCommandParameters,
  place: Place,
): Promise<ActionOutcome> => {
  const { namespace } = context.request;
  // Ends before the attempt does: an outcome that nobody waits for any more would be lost.
  const allowedMs = context.timeoutMs - Math.min(2000, context.timeoutMs / 10);
  const wantedMs = parameters.timeout === undefined ? allowedMs : msOf(parameters.timeout);
  const result = await kube.exec({
    namespace,
    pod: place.pod.name,
    container: place.container,
    command: argvOf(parameters),
    timeoutMs: Math.min(wantedMs, allowedMs),
    signal: context.signal,
  });
  // Thrown for the one place that knows what a failed call means.
  if (result.result === 'neverSent') throw result.error;
  const outcome = outcomeOf(result, place);
  if (outcome.status === 'unknown' && parameters.idempotent) throw new Retry(outcome.reason, outcome.message);
  return outcome;
};

/**
 * `exec_command`: runs a command in the pod that made the rule fire (the first one, when there are several). At most
 * once, unless the user calls it idempotent: an outcome that got lost is reported as unknown and not repeated.
 *
 * Reasons: `Completed`, `NonZeroExit`, `DryRun`, `ContainerNotFound`, `NoMatchingPods`, `PodGone`; unknown: `Aborted`,
 * `ConnectionLost`, `NodeError`, `RepeatRefused`, `Timeout`; and those of a failed call.
 */
export const createExecCommand = ({ kube }: { kube: ExecKube }): Action<ExecCommandParameters> => ({
  name: 'exec_command',
  run: async (context, parameters) => {
    const { request } = context;
    if (context.attempt > 1 && !parameters.idempotent)
      return unknown('RepeatRefused', 'an earlier attempt may have run the command, so it is not repeated');
    let attempted: Attempted = { verb: 'get', apiVersion: 'v1', resource: 'pods', namespace: request.namespace };
    try {
      const place = await findPlace(kube, context, parameters);
      if ('status' in place) return place;
      if (request.dryRun) return await wouldRun(kube, context, argvOf(parameters), place);
      attempted = { ...attempted, subresource: 'exec', name: place.pod.name };
      return await execute(kube, context, parameters, place);
    } catch (error) {
      // Only what was never sent is thrown as an error of a call, so nothing was run by this attempt.
      return await kubeFailure(kube, error, attempted, { begun: context.mayBeDone });
    }
  },
});
