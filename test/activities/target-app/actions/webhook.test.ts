import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type ActionContext, Wait } from '../../../../src/activities/target-app/actions/action.ts';
import { createWebhook } from '../../../../src/activities/target-app/actions/webhook.ts';
import { WebhookParameters } from '../../../../src/api/target-app/action-parameters.ts';
import { createHttp, type Http } from '../../../../src/clients/http/http-client.ts';
import type { ActionRequest } from '../../../../src/domain/target-app/action.ts';
import { startStopwatch } from '../../../support/pace.ts';

interface Received {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

let http: Http;
let server: Server;
let origin: string;
let received: Received[] = [];
let reply: { status: number; headers?: Record<string, string> } | 'hang' | 'reset' = { status: 200 };

beforeAll(async () => {
  http = createHttp();
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method, url: path, headers } = request;
    received.push({ method, path, headers, body: Buffer.concat(chunks).toString() });
    if (reply === 'reset') request.socket.resetAndDestroy();
    else if (reply !== 'hang') response.writeHead(reply.status, reply.headers).end('secret answer');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  received = [];
  reply = { status: 200 };
});
afterAll(async () => {
  await http.close();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
});

const at = Date.UTC(2030, 0, 2, 3, 4, 5);
const request: ActionRequest = {
  id: 'kco-7f3a',
  namespace: 'shop',
  name: 'checkout',
  uid: 'uid-1',
  generation: 3,
  rule: 'tell',
  content: 'c0ffee00',
  action: 'webhook',
  pods: [{ uid: 'pod-uid', name: 'checkout-1' }],
  field: 'application.health',
  oldValue: 'healthy',
  newValue: 'unhealthy',
  at,
  dryRun: false,
};
const context = (given: Partial<ActionContext> = {}): ActionContext => ({
  request,
  signal: new AbortController().signal,
  timeoutMs: 5000,
  attempt: 1,
  mayBeDone: false,
  selector: {},
  matchingPods: () => [],
  ...given,
});
const run = (parameters: Partial<WebhookParameters> = {}, given: Partial<ActionContext> = {}) =>
  createWebhook({ http, now: () => at + 1500 }).run(
    context(given),
    WebhookParameters.parse({ url: `http://${origin}/hook`, ...parameters }),
  );

describe('a webhook', () => {
  it('posts what happened', async () => {
    expect(await run()).toEqual({
      status: 'succeeded',
      reason: 'ActionSucceeded',
      message: `POST ${origin} answered 200`,
      code: 200,
    });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      method: 'POST',
      path: '/hook',
      headers: {
        'content-type': 'application/json',
        'idempotency-key': 'kco-7f3a',
        'webhook-id': 'kco-7f3a',
        'webhook-timestamp': String(at / 1000 + 1),
      },
    });
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({
      action_id: 'kco-7f3a',
      timestamp: '2030-01-02T03:04:05.000Z',
      namespace: 'shop',
      tapp_name: 'checkout',
      rule: 'tell',
      pod_name: 'checkout-1',
      pods: [{ name: 'checkout-1', uid: 'pod-uid' }],
      field: 'application.health',
      old_value: 'healthy',
      new_value: 'unhealthy',
    });
  });

  it.each([
    ['POST', { text: 'down' }, '{"text":"down"}'],
    ['PUT', ['a', 1, null], '["a",1,null]'],
    ['PATCH', 'word', '"word"'],
    ['POST', null, 'null'],
    ['DELETE', undefined, ''],
    ['DELETE', { a: 1 }, '{"a":1}'],
    ['GET', undefined, ''],
    ['GET', { a: 1 }, ''],
  ] as const)('sends a %s of %j as %j', async (method, payload, body) => {
    await run({ method, payload: payload as never });
    expect(received).toEqual([expect.objectContaining({ method, body })]);
  });

  it('carries the headers of the user, who cannot change what identifies the delivery or frames it', async () => {
    const headers = {
      'X-Token': 'abc',
      'Content-Type': 'application/cloudevents+json',
      'Idempotency-Key': 'mine',
      'Webhook-Id': 'mine',
      'webhook-timestamp': '0',
      'Webhook-Signature': 'v1,forged',
      Host: 'elsewhere.example.test',
      'Content-Length': '1',
      'Transfer-Encoding': 'chunked',
      Connection: 'upgrade',
    };
    expect(await run({ headers })).toMatchObject({ status: 'succeeded' });
    expect(received[0]?.headers).toMatchObject({
      'x-token': 'abc',
      'content-type': 'application/cloudevents+json',
      'idempotency-key': 'kco-7f3a',
      'webhook-id': 'kco-7f3a',
      host: origin,
    });
    expect(received[0]?.headers['webhook-signature']).toBeUndefined();
  });

  it('says where it went without query, fragment and answer', async () => {
    const { message } = await run({ url: `http://${origin}/hook?token=s3cr3t#part` });
    expect(received[0]?.path).toBe('/hook?token=s3cr3t');
    expect(message).toBe(`POST ${origin} answered 200`);
  });

  it('says of a failure which port was asked, and no path', async () => {
    const { message } = await run({ url: 'http://169.254.169.254/hook-s3cr3t' });
    expect(message).toMatch(/^POST 169\.254\.169\.254:80: /);
    expect(message).not.toContain('s3cr3t');
  });

  it.each([201, 204, 299])('succeeds on %i', async (status) => {
    reply = { status };
    expect(await run()).toMatchObject({ status: 'succeeded', code: status });
  });

  it.each([
    [400, 'HTTPStatus'],
    [401, 'HTTPStatus'],
    [404, 'HTTPStatus'],
    [410, 'HTTPStatus'],
    [302, 'RedirectRefused'],
  ])('fails on %i, once', async (status, reason) => {
    reply = { status, headers: { location: `http://${origin}/other` } };
    const outcome = await run();
    expect(outcome).toMatchObject({ status: 'failed', reason, code: status });
    expect(outcome.message).toContain(`answered ${status}`);
    expect(outcome.message).not.toContain('secret answer');
    expect(received).toHaveLength(1);
  });

  it.each([
    [418, [418], 'succeeded'],
    [503, [200, 503], 'succeeded'],
    [302, [302], 'succeeded'],
    [200, [202], 'failed'],
  ])('with %i where %j is expected has %s', async (status, expectStatus, expected) => {
    reply = { status };
    expect(await run({ expectStatus })).toMatchObject({ status: expected, code: status });
  });

  it.each([408, 425, 429, 500, 502, 503, 504])('asks for another attempt on %i', async (status) => {
    reply = { status };
    await expect(run()).rejects.toEqual(
      expect.objectContaining({ name: 'Wait', reason: 'HTTPStatus', afterMs: 0, begun: true }),
    );
  });

  it.each([
    ['seconds', '7', 7000],
    ['a date', new Date(at + 61_500).toUTCString(), 59_500],
    ['nonsense', 'soon', 0],
  ])('hands on a Retry-After in %s', async (_, header, afterMs) => {
    reply = { status: 429, headers: { 'retry-after': header } };
    await expect(run()).rejects.toMatchObject({ afterMs });
  });

  it.each([
    ['a reset connection', 'reset', {}, 'ConnectFailed'],
    ['no answer within the timeout of the action', 'hang', { timeoutMs: 100 }, 'Timeout'],
  ] as const)('asks for another attempt after %s', async (_, what, given, reason) => {
    reply = what;
    const attempt = run({}, given);
    await expect(attempt).rejects.toBeInstanceOf(Wait);
    await expect(attempt).rejects.toMatchObject({ reason });
  });

  it('takes the shorter of its own timeout and that of the action', async () => {
    reply = 'hang';
    const sinceCalled = startStopwatch();
    await expect(run({ timeout: 1 }, { timeoutMs: 60_000 })).rejects.toMatchObject({ reason: 'Timeout' });
    expect(sinceCalled.stop()).toBeLessThan(5000);
  });

  it('holds no more than ten requests to one receiver open, whoever sends them, and gives each place back', async () => {
    reply = 'hang';
    const webhook = createWebhook({ http, now: () => at });
    const stopping = new AbortController();
    const send = (url: string) =>
      webhook.run(context({ signal: stopping.signal }), { url, method: 'POST' } as WebhookParameters);
    const open = Array.from({ length: 10 }, (_, i) => send(`http://${origin}/${i}`));
    await expect(send(`http://${origin}/one-more`)).rejects.toMatchObject({
      name: 'Wait',
      reason: 'ReceiverBusy',
      begun: false,
    });
    stopping.abort(new Error('enough'));
    for (const { status } of await Promise.allSettled(open)) expect(status).toBe('rejected');
    reply = { status: 204 };
    const after = webhook.run(context(), { url: `http://${origin}/later`, method: 'POST' } as WebhookParameters);
    expect(await after).toMatchObject({ status: 'succeeded' });
  });

  it('carries the same id in every attempt', async () => {
    reply = { status: 503 };
    for (const attempt of [1, 2, 3]) await expect(run({}, { attempt })).rejects.toBeInstanceOf(Wait);
    const ids = received.map(({ headers }) => [headers['idempotency-key'], headers['webhook-id']]);
    expect(ids).toEqual(Array(3).fill(['kco-7f3a', 'kco-7f3a']));
  });

  it.each([
    ['a metadata address', { url: 'http://169.254.169.254/latest' }, 'EgressDenied'],
    ['a header with a line break', { headers: { 'x-a': 'b\r\nx-c: d' } }, 'InvalidSpec'],
    ['a header that is not Latin-1', { headers: { 'x-a': '😀' } }, 'InvalidSpec'],
  ])('with %s fails without being sent', async (_, parameters, reason) => {
    expect(await run(parameters)).toMatchObject({ status: 'failed', reason });
    expect(received).toEqual([]);
  });

  it('as a dry run says what it would send, and sends nothing', async () => {
    const outcome = await run(
      { url: `http://${origin}/hook?token=s3cr3t`, payload: { a: 1 } },
      { request: { ...request, dryRun: true } },
    );
    expect(outcome).toEqual({
      status: 'dryRun',
      reason: 'ActionDryRun',
      message: `would send POST ${origin} with 7 bytes of application/json`,
    });
    expect(received).toEqual([]);
  });

  it('passes a cancellation on', async () => {
    const controller = new AbortController();
    reply = 'hang';
    const attempt = run({}, { signal: controller.signal });
    controller.abort(new Error('the worker stops'));
    await expect(attempt).rejects.toThrow('the worker stops');
  });
});
