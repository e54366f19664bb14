import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createKube, type Kube, type ResourceRef } from '../../../src/clients/kubernetes/client.ts';
import { errorFromAnswer, errorFromCause } from '../../../src/clients/kubernetes/errors.ts';
import { type Answer, type FakeApiServer, json, startFakeApiServer, status } from '../../support/fake-api-server.ts';
import { startUntrustedServer } from '../../support/tls-server.ts';

const ref: ResourceRef = { apiVersion: 'v1', kind: 'ConfigMap', plural: 'configmaps', namespaced: true };
const key = { namespace: 'shop', name: 'web' };
const object = { metadata: { ...key, uid: 'u', resourceVersion: '1' } };

let api: FakeApiServer | undefined;
let kube: Kube | undefined;

afterEach(async () => {
  await kube?.close();
  await api?.close();
  api = undefined;
});

/** A client of a server that gives these answers in turn, the last one again and again. */
const connect = async (answers: Answer[], user: object = {}, timeoutMs = 5000): Promise<Kube> => {
  let at = 0;
  const answer: Answer = (response, request) => answers[Math.min(at++, answers.length - 1)]?.(response, request);
  api = await startFakeApiServer({ answer, user });
  kube = createKube({ kubeconfig: api.kubeconfig, version: '1.2.3', timeoutMs });
  return kube;
};
const breaks: Answer = (response) => response.destroy();
const busy = status(429, 'TooManyRequests', {}, { 'retry-after': '0' });

describe('a read', () => {
  it.each<[string, Answer]>([
    ['429 with Retry-After', busy],
    ['503 with Retry-After', status(503, 'ServiceUnavailable', {}, { 'retry-after': '0' })],
    ['a lost connection', breaks],
  ])('is repeated after %s', async (_, failure) => {
    const client = await connect([failure, json(object)]);
    await expect(client.get(ref, key)).resolves.toEqual(object);
    expect(api?.requests).toHaveLength(2);
  });

  it('waits for as long as it is asked to', async () => {
    const client = await connect([status(429, 'TooManyRequests', {}, { 'retry-after': '1' }), json(object)]);
    const startedAt = performance.now();
    await client.get(ref, key);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(950);
  });

  it.each<[string, Answer, object]>([
    ['too many refusals', busy, { status: 429, reason: 'TooManyRequests', retryAfterMs: 0 }],
    ['500 without Retry-After', status(500, 'InternalError'), { status: 500, retryAfterMs: undefined }],
    ['a Retry-After beyond patience', status(429, 'X', {}, { 'retry-after': '600' }), { retryAfterMs: 600_000 }],
    ['something that is not JSON', (response) => response.end('<html>'), { reason: 'InvalidResponse' }],
  ])('fails after %s', async (_, failure, error) => {
    const client = await connect([failure]);
    await expect(client.get(ref, key)).rejects.toMatchObject({ name: 'KubeError', ...error });
    expect(api?.requests.length).toBeLessThanOrEqual(4);
  });

  it('fails when no answer comes in time', async () => {
    const client = await connect([() => undefined], {}, 200);
    await expect(client.get(ref, key)).rejects.toMatchObject({ reason: 'Timeout', status: undefined });
  });

  it('can be aborted while it waits', async () => {
    const client = await connect([status(429, 'TooManyRequests', {}, { 'retry-after': '20' })]);
    await expect(client.get(ref, key, { signal: AbortSignal.timeout(200) })).rejects.toMatchObject({
      name: 'KubeError',
    });
  });

  it.each<[string, string]>([
    ['a namespace', '..'],
    ['a namespace', 'a/b'],
    ['a namespace', 'a%2fb'],
    ['a namespace', ''],
  ])('is not sent for %s called %j', async (_, namespace) => {
    const client = await connect([json(object)]);
    await expect((async () => client.get(ref, { ...key, namespace }))()).rejects.toMatchObject({
      reason: 'InvalidName',
    });
    expect(api?.requests).toEqual([]);
  });
});

describe('a write', () => {
  it.each<[string, Answer, object]>([
    ['429', busy, { status: 429, retryAfterMs: 0 }],
    ['500', status(500, 'InternalError'), { status: 500 }],
    ['a lost connection', breaks, { reason: 'ConnectionLost' }],
  ])('is not repeated after %s', async (_, failure, error) => {
    const client = await connect([failure, json(object)]);
    await expect(client.patch(ref, key, { type: 'merge', body: {} })).rejects.toMatchObject(error);
    expect(api?.requests).toHaveLength(1);
  });
});

describe('a request', () => {
  it('says who sends it, and as whom', async () => {
    const client = await connect([json(object)], { token: 'secret' });
    await client.get(ref, key);
    await client.as('system:serviceaccount:shop:robot').get(ref, key);
    const [own, other] = api?.requests.map(({ headers }) => headers) ?? [];
    expect(own).toMatchObject({ 'user-agent': 'kco/1.2.3', authorization: 'Bearer secret' });
    expect(own?.['impersonate-user']).toBeUndefined();
    expect(other).toMatchObject({
      authorization: 'Bearer secret',
      'impersonate-user': 'system:serviceaccount:shop:robot',
    });
  });

  it('is repeated once after a 401, with the token that stands in the file by then', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kco-token-'));
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, 'old\n');
    const rotated: Answer = (...call) => {
      writeFileSync(tokenFile, 'new\n');
      status(401, 'Unauthorized')(...call);
    };
    const client = await connect([rotated, json(object)], {
      'auth-provider': { name: 'tokenFile', config: { tokenFile } },
    });
    await expect(client.patch(ref, key, { type: 'merge', body: {} })).resolves.toEqual(object);
    expect(api?.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);
    rmSync(directory, { recursive: true });
  });

  it('fails when it is refused with 401 again', async () => {
    const client = await connect([status(401, 'Unauthorized')]);
    await expect(client.get(ref, key)).rejects.toMatchObject({ status: 401 });
    expect(api?.requests).toHaveLength(2);
  });

  it('is not sent without credentials that can be read', async () => {
    const client = await connect([json(object)], {
      'auth-provider': { name: 'tokenFile', config: { tokenFile: '/absent' } },
    });
    await expect(client.get(ref, key)).rejects.toMatchObject({ name: 'KubeError', reason: 'ConnectFailed' });
    expect(api?.requests).toEqual([]);
  });

  it('trusts the certificate authority of the kubeconfig and no other', async () => {
    const server = await startUntrustedServer();
    api = await startFakeApiServer({ answer: json({}) });
    const cluster = { server: `https://127.0.0.1:${server.port}` };
    const context = { cluster: 'c', user: 'u' };
    const config = {
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: {} }],
      contexts: [{ name: 'x', context }],
    };
    writeFileSync(api.kubeconfig, JSON.stringify({ ...config, 'current-context': 'x' }));
    kube = createKube({ kubeconfig: api.kubeconfig });
    await expect(kube.get(ref, key)).rejects.toMatchObject({ reason: 'TLSVerifyFailed', status: undefined });
    await server.close();
  });

  it('needs a kubeconfig with a current context', async () => {
    api = await startFakeApiServer({ answer: json({}) });
    writeFileSync(api.kubeconfig, 'apiVersion: v1');
    const { kubeconfig } = api;
    expect(() => createKube({ kubeconfig })).toThrow('there is no cluster in the kubeconfig');
  });
});

describe('an error', () => {
  it.each([
    ['an object', '{"kind":"Status","reason":"NotFound","details":{"name":"web","kind":"pods"}}', false],
    ['the type, as text', '404 page not found\n', true],
    ['the type, as a Status without a name', '{"kind":"Status","reason":"NotFound","details":{}}', true],
  ])('tells the absence of %s', (_, body, resourceMissing) => {
    expect(errorFromAnswer(404, body)).toMatchObject({ status: 404, reason: 'NotFound', resourceMissing });
  });

  it('has one printable line of bounded length for a message', () => {
    const body = JSON.stringify({ kind: 'Status', message: `a\n\u001b[31mb\u202e${'😀'.repeat(1000)}` });
    const { message } = errorFromAnswer(500, body);
    expect(message.length).toBeLessThanOrEqual(512);
    expect(message).toMatch(/^a \[31mb 😀/);
    expect(message.isWellFormed()).toBe(true);
  });

  it.each([
    [{ code: 'ECONNREFUSED' }, 'ConnectFailed'],
    [{ code: 'ENOTFOUND' }, 'ConnectFailed'],
    [{ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'TLSVerifyFailed'],
    [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'TLSVerifyFailed'],
    [{ code: 'UND_ERR_HEADERS_TIMEOUT' }, 'Timeout'],
    [{ name: 'AbortError' }, 'Aborted'],
    [{ code: 'UND_ERR_SOCKET' }, 'ConnectionLost'],
    [{ code: 'ECONNRESET' }, 'ConnectionLost'],
  ])('without an answer is known by its code: %j', (cause, reason) => {
    expect(errorFromCause(cause)).toMatchObject({ reason, status: undefined });
  });
});

describe('calls that hang', () => {
  it('keep none from others, however many they are', async () => {
    const hangs: Answer = () => undefined;
    const answer: Answer = (response, request) =>
      (request.url?.includes('/events') ? hangs : json(object))(response, request);
    const client = await connect([answer]);
    const aborting = new AbortController();
    const event = { metadata: { name: 'e', namespace: 'shop' } };
    const hanging = Array.from({ length: 200 }, () =>
      client.applyEvent(event, { signal: aborting.signal }).catch(() => undefined),
    );
    await expect(client.get(ref, key, { signal: AbortSignal.timeout(4_000) })).resolves.toEqual(object);
    aborting.abort();
    await Promise.all(hanging);
  });
});

describe('a refusal', () => {
  const forbidden = status(403, 'Forbidden');
  const paths = () => api?.requests.map(({ method, url }) => `${method} ${url.pathname}`);
  const patch = (client: Kube) => client.patch(ref, key, { type: 'merge', body: {} });
  const write = 'PATCH /api/v1/namespaces/shop/configmaps/web';

  it('of a server that is not ready may pass, because it does not know its roles yet', async () => {
    const client = await connect([forbidden, status(500, 'InternalError')]);
    await expect(patch(client)).rejects.toMatchObject({ status: 503, reason: 'ServiceUnavailable' });
    expect(paths()).toEqual([write, 'GET /readyz']);
  });

  it('of a server that has become ready in between is asked again', async () => {
    const client = await connect([forbidden, json({}), json(object)]);
    await expect(patch(client)).resolves.toEqual(object);
    expect(paths()).toEqual([write, 'GET /readyz', write]);
  });

  it('that a ready server repeats is believed', async () => {
    const client = await connect([forbidden, json({}), forbidden]);
    await expect(patch(client)).rejects.toMatchObject({ status: 403, reason: 'Forbidden' });
    expect(paths()).toEqual([write, 'GET /readyz', write]);
  });
});
