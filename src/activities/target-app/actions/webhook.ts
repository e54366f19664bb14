import type { WebhookParameters } from '../../../api/target-app/action-parameters.ts';
import { webhookDefaults } from '../../../api/target-app/compile-action.ts';
import type { Http, HttpRequest, HttpResult } from '../../../clients/http/http-client.ts';
import { retryAfterMs } from '../../../clients/http/retry-after.ts';
import { addressOf, hostAndPortOf, sanitize } from '../../../clients/http/sanitize.ts';
import type { Json } from '../../../domain/json.ts';
import { msOf, secondsOf } from '../../../domain/seconds.ts';
import type { ActionOutcome, ActionRequest } from '../../../domain/target-app/action.ts';
import { dryRun, failed, succeeded } from '../../../domain/target-app/outcomes.ts';
import { Tally } from '../../tally.ts';
import { type Action, type ActionContext, Wait } from './action.ts';

/** What the webhook action needs. */
export interface WebhookDependencies {
  http: Pick<Http, 'send'>;
  /** Epoch milliseconds. */
  now?(): number;
}

/** Statuses that say "not now" rather than "no"; so does every 5xx. */
const notNow = new Set([408, 425, 429]);

/** Failures below HTTP that another attempt would meet as well. */
const lasting = new Set<string>(['EgressDenied', 'InvalidRequest', 'RedirectRefused']);

/** What a payload-less webhook sends: the words of the templates, so that a receiver reads what a rule would write. */
const defaultPayload = (request: ActionRequest): Json => ({
  action_id: request.id,
  timestamp: new Date(request.at).toISOString(),
  namespace: request.namespace,
  tapp_name: request.name,
  rule: request.rule,
  pod_name: request.pods[0]?.name ?? null,
  pods: request.pods.map(({ name, uid }) => ({ name, uid })),
  field: request.field ?? null,
  old_value: request.oldValue ?? null,
  new_value: request.newValue ?? null,
});

/** Headers that belong to the delivery and to the connection, not to the user. */
const reserved =
  /^(connection|content-length|expect|host|idempotency-key|keep-alive|te|trailer|transfer-encoding|upgrade|webhook-(id|timestamp|signature))$/;

const userHeaders = (headers: Record<string, string> = {}): [string, string][] =>
  Object.entries(headers)
    .map(([name, value]): [string, string] => [name.toLowerCase(), value])
    .filter(([name]) => !reserved.test(name));

/** Line breaks and characters that a header cannot carry: a template may have brought them in. */
const unsendable = /[^\t\x20-\x7e\x80-\xff]/;

const carriesBody = ({ method, payload }: WebhookParameters): boolean =>
  method !== 'GET' && (method !== 'DELETE' || payload !== undefined);

/** A payload of null is sent as it is; only an absent one has a default. */
const bodyOf = (parameters: WebhookParameters, request: ActionRequest): string | undefined => {
  if (!carriesBody(parameters)) return undefined;
  return JSON.stringify(parameters.payload === undefined ? defaultPayload(request) : parameters.payload);
};

/** The request as each attempt sends it; only the timestamp differs between attempts. */
const deliveryOf = (context: ActionContext, parameters: WebhookParameters, now: number): HttpRequest => {
  const { request, signal, timeoutMs } = context;
  const body = bodyOf(parameters, request);
  return {
    url: parameters.url,
    method: parameters.method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(userHeaders(parameters.headers)),
      'idempotency-key': request.id,
      'webhook-id': request.id,
      'webhook-timestamp': String(Math.floor(secondsOf(now))),
    },
    body,
    deadlineMs: Math.min(
      timeoutMs,
      parameters.timeout === undefined ? webhookDefaults.timeoutMs : msOf(parameters.timeout),
    ),
    signal,
    // A receiver that said 200 has the message, whatever becomes of the rest of its answer.
    responseBody: 'discard',
  };
};

const isExpected = ({ expectStatus }: WebhookParameters, status: number): boolean =>
  expectStatus === undefined ? status >= 200 && status <= 299 : expectStatus.includes(status);

/** The receiver, without the path: many services keep their secret there. */
const hostOf = (url: string): string => sanitize(new URL(url).host);

/** The outcome of one delivery; throws `Wait` where the next may fare better. */
const outcomeOf = (result: HttpResult, parameters: WebhookParameters, now: number): ActionOutcome => {
  const { method, url } = parameters;
  const code = result.status;
  const to = hostOf(url);
  // Failures begin with the address, path included.
  const why = result.ok ? '' : result.failure.message.replaceAll(addressOf(url), hostAndPortOf(url));
  const message = result.ok ? `${method} ${to} answered ${code}` : `${method} ${why}`;
  if (code !== undefined && isExpected(parameters, code))
    return succeeded('ActionSucceeded', `${method} ${to} answered ${code}`, { code });
  const reason = result.ok ? 'HTTPStatus' : result.failure.class;
  const mayPass = result.ok ? notNow.has(result.status) || result.status >= 500 : !lasting.has(reason);
  if (!mayPass) return failed(reason, message, { code });
  const afterMs = result.ok ? retryAfterMs(result.headers['retry-after'], now) : undefined;
  // The receiver may have taken it all the same, and only its answer got lost.
  throw new Wait(reason, message, afterMs ?? 0, { begun: true });
};

/** What a delivery would have been. */
const wouldSend = ({ url, method, body, headers = {} }: HttpRequest): ActionOutcome => {
  const what =
    body === undefined ? 'no body' : `${Buffer.byteLength(body)} bytes of ${sanitize(headers['content-type'] ?? '')}`;
  return dryRun('ActionDryRun', `would send ${method} ${hostOf(String(url))} with ${what}`);
};

const invalid = (message: string): ActionOutcome => failed('InvalidSpec', message);

/** Requests to one receiver that may be open at once, from all TargetApps: one that says nothing must not take all slots. */
const maxOpenPerReceiver = 10;
/** When a request that had to wait for such a place is tried again. */
const placeWaitMs = 2_000;

/**
 * Sends an HTTP request. At least once, and de-duplicable: every attempt carries the same `Idempotency-Key` and
 * `webhook-id`, the action id. Asks to wait, for the workflow to call it again, on network errors, timeouts, 408, 425, 429
 * and 5xx.
 *
 * Reasons: `ActionSucceeded`, `ActionDryRun`, `HTTPStatus`, `InvalidSpec`, `ReceiverBusy`, and the failures of a request.
 */
export const createWebhook = ({ http, now = Date.now }: WebhookDependencies): Action<WebhookParameters> => {
  const open = new Tally();
  const send = async (delivery: HttpRequest, begun: boolean): Promise<HttpResult> => {
    const receiver = new URL(String(delivery.url)).host;
    if (open.of(receiver) >= maxOpenPerReceiver) {
      const message = `${sanitize(receiver)} has not answered ${maxOpenPerReceiver} requests yet`;
      throw new Wait('ReceiverBusy', message, placeWaitMs, { begun });
    }
    open.add(receiver);
    try {
      return await http.send(delivery);
    } finally {
      open.remove(receiver);
    }
  };
  return {
    name: 'webhook',
    async run(context, parameters) {
      if (!URL.canParse(parameters.url)) return invalid('parameters.url is not a URL');
      const delivery = deliveryOf(context, parameters, now());
      const [bad] = Object.entries(delivery.headers ?? {}).find(([, value]) => unsendable.test(value)) ?? [];
      if (bad !== undefined) {
        return invalid(`parameters.headers.${bad} has a line break or a character that no header can carry`);
      }
      if (context.request.dryRun) return wouldSend(delivery);
      return outcomeOf(await send(delivery, context.mayBeDone), parameters, now());
    },
  };
};
