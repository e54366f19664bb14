import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { argvOf, createExecCommand } from '../../../../src/activities/target-app/actions/exec-command.ts';
import { type ExecResult, type Kube, KubeError } from '../../../../src/clients/kubernetes/client.ts';
import type { PodRef } from '../../../../src/domain/refs.ts';
import { actionContext, podRef } from '../../../support/action-context.ts';
import { runDeployment } from '../../../support/cluster-objects.ts';
import { withCluster } from '../../../support/with-cluster.ts';

let kube: Kube;
withCluster((cluster) => {
  kube = cluster;
});
let pod: PodRef;
let directory: string;

beforeAll(async () => {
  pod = podRef((await runDeployment(kube, 'commanded', 1))[0]);
  directory = mkdtempSync(join(tmpdir(), `kco exec 'it'"s" $x-`));
});
afterAll(() => rmSync(directory, { recursive: true }));

const parameters = { command: ['true'], idempotent: false };
const context = (...[request, rest]: Partial<Parameters<typeof actionContext>>) =>
  actionContext({ pods: [pod], ...request }, rest);

/** A cluster that answers an exec like this. */
const answering = (result: ExecResult): Kube => ({ ...kube, exec: async () => result });
const asked = () => {
  const requests: Parameters<Kube['exec']>[0][] = [];
  const exec: Kube['exec'] = async (request) => {
    requests.push(request);
    return { result: 'exited', code: 0, output: '' };
  };
  return { requests, kube: { ...kube, exec } };
};

describe('exec_command in a cluster', () => {
  it('runs argv as it is, in a directory of any name', async () => {
    const command = ['sh', '-c', 'pwd; echo "$1" | tee ran', 'sh', `a 'b' "c" $d; e`];
    const outcome = await createExecCommand({ kube }).run(context(), { ...parameters, command, workingDir: directory });
    expect(outcome).toMatchObject({ status: 'succeeded', reason: 'Completed', code: 0 });
    expect(outcome.output).toBe(`${directory}\na 'b' "c" $d; e\n`);
    expect(readFileSync(join(directory, 'ran'), 'utf8')).toBe(`a 'b' "c" $d; e\n`);
  });

  it('calls the outcome unknown when the node gives an error in place of an exit code', async () => {
    const outcome = await createExecCommand({ kube }).run(context(), {
      ...parameters,
      command: ['sh', '-c', 'echo out; exit 3'],
    });
    expect(outcome).toMatchObject({ status: 'unknown', reason: 'NodeError', output: 'out\n' });
    expect(outcome.message).toContain('exit status 3');
    expect(outcome).not.toHaveProperty('code');
  });

  it('runs nothing in a pod that has taken over the name', async () => {
    const spy = asked();
    const outcome = await createExecCommand({ kube: spy.kube }).run(
      context({ pods: [{ ...pod, uid: 'older' }] }),
      parameters,
    );
    expect(outcome).toMatchObject({ status: 'failed', reason: 'PodGone' });
    expect(spy.requests).toEqual([]);
  });

  it('runs nothing in a dry run, but says what and whether it could', async () => {
    const spy = asked();
    const dry = await createExecCommand({ kube: spy.kube }).run(context({ dryRun: true }), parameters);
    expect(dry).toEqual({
      status: 'dryRun',
      reason: 'DryRun',
      message: `would run "true" with 0 arguments in ${pod.name}/main`,
    });
    const noRight: Kube = { ...spy.kube, canI: async () => ({ allowed: false, reason: '' }) };
    const refused = await createExecCommand({ kube: noRight }).run(context({ dryRun: true }), parameters);
    expect(refused).toMatchObject({ status: 'dryRun', reason: 'Forbidden' });
    expect(spy.requests).toEqual([]);
  });

  it('says which account lacks which right', async () => {
    const robot = kube.as('system:serviceaccount:default:robot');
    const outcome = await createExecCommand({ kube: { ...robot, get: kube.get } }).run(context(), parameters);
    expect(outcome).toMatchObject({ status: 'refused', reason: 'Forbidden' });
    expect(outcome.message).toContain(`kubectl auth can-i get pods/${pod.name} --subresource=exec -n default`);
  });

  it('knows the containers of the pod', async () => {
    const absent = await createExecCommand({ kube }).run(context(), { ...parameters, container: 'absent' });
    expect(absent).toMatchObject({ status: 'failed', reason: 'ContainerNotFound' });
    const spy = asked();
    await createExecCommand({ kube: spy.kube }).run(context(), parameters);
    expect(spy.requests[0]?.container).toBe('main');
  });

  it.each([
    [{}, 'proxy'],
    [{ 'kubectl.kubernetes.io/default-container': 'app' }, 'app'],
    [{ 'kubectl.kubernetes.io/default-container': 'absent' }, 'proxy'],
  ])('takes the container that kubectl takes, with the annotations %j', async (annotations, container) => {
    const spy = asked();
    const found = { metadata: { ...pod, annotations }, spec: { containers: [{ name: 'proxy' }, { name: 'app' }] } };
    const get = (async () => found) as unknown as Kube['get'];
    await createExecCommand({ kube: { ...spy.kube, get } }).run(context(), parameters);
    expect(spy.requests[0]?.container).toBe(container);
  });
});

describe('exec_command', () => {
  const lost: ExecResult = { result: 'unknown', reason: 'ConnectionLost', message: 'lost', output: 'half' };
  const refused = (status: number | undefined, reason: string): ExecResult => ({
    result: 'neverSent',
    error: new KubeError({ status, reason, message: 'said the server' }),
  });

  it.each<[ExecResult, object]>([
    [
      { result: 'exited', code: 3, output: 'x' },
      { status: 'failed', reason: 'NonZeroExit', code: 3, output: 'x' },
    ],
    [lost, { status: 'unknown', reason: 'ConnectionLost', output: 'half' }],
    [
      { ...lost, reason: 'Timeout' },
      { status: 'unknown', reason: 'Timeout' },
    ],
    [refused(404, 'NotFound'), { status: 'failed', reason: 'NotFound' }],
    [refused(400, 'BadRequest'), { status: 'failed', reason: 'BadRequest' }],
  ])('runs a command at most once: %j', async (result, outcome) => {
    await expect(createExecCommand({ kube: answering(result) }).run(context(), parameters)).resolves.toMatchObject(
      outcome,
    );
  });

  it.each<[ExecResult, object]>([
    [lost, { name: 'Retry', reason: 'ConnectionLost' }],
    [
      { result: 'error', reason: 'InternalError', message: 'x', output: '' },
      { name: 'Retry', reason: 'NodeError' },
    ],
  ])('may repeat an idempotent one: %j', async (result, thrown) => {
    const action = createExecCommand({ kube: answering(result) });
    await expect(action.run(context(), { ...parameters, idempotent: true })).rejects.toMatchObject(thrown);
  });

  it.each<[string, ExecResult]>([
    ['an API server that is away', refused(undefined, 'ConnectFailed')],
    ['one that has too much to do', refused(429, 'TooManyRequests')],
    ['one that does not know a new token yet', refused(401, 'Unauthorized')],
    ['a connection that was lost too early', refused(undefined, 'ConnectionLost')],
  ])('waits for %s, since nothing was run', async (_, result) => {
    const action = createExecCommand({ kube: answering(result) });
    for (const idempotent of [false, true])
      await expect(action.run(context(), { ...parameters, idempotent })).rejects.toMatchObject({
        name: 'Wait',
        begun: false,
      });
  });

  it('waits when it cannot look at the pod: nothing was run', async () => {
    const error = new KubeError({ status: 503, reason: 'ServiceUnavailable', message: 'x' });
    const spy = asked();
    const blind: Kube = { ...spy.kube, get: () => Promise.reject(error) };
    await expect(createExecCommand({ kube: blind }).run(context(), parameters)).rejects.toMatchObject({
      name: 'Wait',
      reason: 'ServiceUnavailable',
      begun: false,
    });
    expect(spy.requests).toEqual([]);
  });

  it('does not run on a second attempt what may have run on the first', async () => {
    const spy = asked();
    const outcome = await createExecCommand({ kube: spy.kube }).run(context({}, { attempt: 2 }), parameters);
    expect(outcome).toMatchObject({ status: 'unknown', reason: 'RepeatRefused' });
    expect(spy.requests).toEqual([]);
  });

  it.each([
    [undefined, 9000],
    [3, 3000],
    [60, 9000],
  ])('takes no longer than the parameters say, and ends before the attempt does: %j', async (timeout, timeoutMs) => {
    const spy = asked();
    await createExecCommand({ kube: spy.kube }).run(context(), { ...parameters, timeout });
    expect(spy.requests[0]?.timeoutMs).toBe(timeoutMs);
  });

  it('keeps what steers a terminal out of the outcome', async () => {
    const kube = answering({ result: 'exited', code: 0, output: 'a\u001b[31mb\r\n\tc\u0000' });
    const outcome = await createExecCommand({ kube }).run(context(), parameters);
    expect(outcome.output).toBe('a[31mb\n\tc');
  });

  it('needs no quoting for a directory or an argument', () => {
    const [file = '', ...args] = argvOf({
      command: ['printf', '%s|', '$(id)', `'; rm -rf x`, '', '-n'],
      workingDir: '/',
    });
    expect(execFileSync(file, args, { encoding: 'utf8' })).toBe(`$(id)|'; rm -rf x||-n|`);
    expect(argvOf({ command: ['ls', '-l'] })).toEqual(['ls', '-l']);
  });
});
