import type { IncomingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Dispatcher, WebSocket } from 'undici';
import type { Connection } from './connection.ts';
import { errorFromAnswer, errorFromCause, KubeError, messageOf, type Status } from './errors.ts';
import { execPath } from './paths.ts';
import type { ExecRequest, ExecResult, Kube } from './types.ts';

/** Bytes of stdout and stderr together that are kept. */
export const maxOutputBytes = 16 * 1024;
const cutNote = '\n[output was cut]';

// Only protocols that send a Status on the error channel: without one no exit code could be known.
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
const statusChannel = 3;

/** Keeps the head of what arrives; the note that it was cut fits into the limit. */
export const createOutput = (limit = maxOutputBytes): { add(chunk: Uint8Array): void; text(): string } => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  return {
    add: (chunk) => {
      if (size < limit) chunks.push(chunk.subarray(0, limit - size));
      size += chunk.length;
    },
    text: () => {
      const text = Buffer.concat(chunks).toString('utf8');
      // Bytes that are no UTF-8 grow when they are decoded, so the text is measured as well.
      if (size <= limit && Buffer.byteLength(text) <= limit) return text;
      const head = Buffer.from(text).subarray(0, limit - cutNote.length);
      // Streaming leaves out a character that the cut split.
      return new TextDecoder().decode(head, { stream: true }) + cutNote;
    },
  };
};

/** The handshake as the dispatcher saw it; a WebSocket itself tells neither the status nor whether anything was sent. */
interface Handshake {
  sent: boolean;
  /** What the WebSocket speaks over; its own closing waits for the other side, which may be dead. */
  socket?: Duplex;
  refusal?: KubeError;
}

/** Notes what becomes of the handshake; a refusal is read whole before the WebSocket hears of it. */
const observed =
  (handshake: Handshake): Dispatcher.DispatcherComposeInterceptor =>
  (dispatch) =>
  (options, handler) => {
    let refused: { status: number; retryAfter: string | undefined } | undefined;
    let body = '';
    return dispatch(options, {
      onRequestStart: (controller, context) => {
        handshake.sent = true;
        handler.onRequestStart?.(controller, context);
      },
      onRequestUpgrade: (controller, status, headers, socket) => {
        handshake.socket = socket;
        return handler.onRequestUpgrade?.(controller, status, headers, socket);
      },
      onResponseStart: (_controller, status, headers: IncomingHttpHeaders) => {
        if (status >= 200) refused = { status, retryAfter: headers['retry-after'] };
      },
      onResponseData: (_controller, chunk) => {
        if (body.length < maxOutputBytes) body += chunk.toString('utf8');
      },
      onResponseEnd: (controller) => {
        if (refused) handshake.refusal = errorFromAnswer(refused.status, body, refused.retryAfter);
        handler.onResponseError?.(controller, handshake.refusal ?? new Error('no upgrade'));
      },
      onResponseError: (controller, error) => {
        // A status that arrived counts, even when the rest of its body did not.
        handshake.refusal = refused ? errorFromAnswer(refused.status, body, refused.retryAfter) : errorFromCause(error);
        handler.onResponseError?.(controller, error);
      },
    });
  };

/** What the status channel says: an exit code, or an error in place of one. */
export const resultOf = (status: Status & { status?: string }, output: string): ExecResult => {
  if (status.status === 'Success') return { result: 'exited', code: 0, output };
  const code = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (code !== undefined && /^\d+$/.test(code)) return { result: 'exited', code: Number(code), output };
  const message = messageOf(status.message ?? 'no message');
  return { result: 'error', reason: status.reason || 'InternalError', message, output };
};

const parseStatus = (data: Buffer): Status | undefined => {
  try {
    return JSON.parse(data.toString('utf8')) as Status;
  } catch {
    return undefined;
  }
};

const sentences = {
  Aborted: 'the attempt was aborted; the command may still be running',
  ConnectionLost: 'the connection was lost before the command had reported its end',
  Timeout: 'no end of the command within its timeout; it may still be running',
} as const;

/** A 5xx is no proof: it may come from a proxy that had passed the request on. */
const isRefused = ({ status }: KubeError): boolean => status !== undefined && status < 500;

const unknown = (reason: keyof typeof sentences, output: string): ExecResult => ({
  result: 'unknown',
  reason,
  message: sentences[reason],
  output,
});

/** What a session comes to whose connection closed before its status. */
const closed = ({ refusal, sent }: Handshake, output: string): ExecResult =>
  refusal && (!sent || isRefused(refusal))
    ? { result: 'neverSent', error: refusal }
    : unknown('ConnectionLost', output);

/** What a session comes to that was stopped. */
const stopped = ({ sent }: Handshake, reason: 'Aborted' | 'Timeout', output: string): ExecResult =>
  sent
    ? unknown(reason, output)
    : { result: 'neverSent', error: new KubeError({ reason, message: 'stopped before the request was sent' }) };

/** Takes the frames of a session; the result as soon as its status is complete. */
const createFrames = (output: ReturnType<typeof createOutput>) => {
  const status: Buffer[] = [];
  return (frame: Buffer): ExecResult | undefined => {
    const channel = frame[0];
    if (channel === 1 || channel === 2) output.add(frame.subarray(1));
    if (channel !== statusChannel) return undefined;
    status.push(frame.subarray(1));
    const said = parseStatus(Buffer.concat(status));
    return said && resultOf(said, output.text());
  };
};

/** One session, from the handshake to whatever ends it. */
const run = (socket: WebSocket, handshake: Handshake, stop: AbortSignal, timeout: AbortSignal): Promise<ExecResult> =>
  new Promise((resolve) => {
    const output = createOutput();
    const take = createFrames(output);
    const settle = (result: ExecResult) => {
      stop.removeEventListener('abort', onStop);
      resolve(result);
      socket.close();
    };
    const onStop = () =>
      settle(stopped(handshake, stop.reason === timeout.reason ? 'Timeout' : 'Aborted', output.text()));
    if (stop.aborted) return onStop();
    stop.addEventListener('abort', onStop, { once: true });
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('message', ({ data }) => {
      const result = take(Buffer.from(data as ArrayBuffer | string as ArrayBuffer));
      // It is the last thing that is sent; who waits for the connection to close may wait for ever.
      if (result) settle(result);
    });
    socket.addEventListener('close', () => settle(closed(handshake, output.text())));
    // A close event follows every error; without a listener an error event is lost silently.
    socket.addEventListener('error', () => undefined);
  });

/** A header with several values is several headers. */
const pairsOf = (headers: Record<string, string | string[]>): [string, string][] =>
  Object.entries(headers).flatMap(([name, value]) => [value].flat().map((each): [string, string] => [name, each]));

export interface ExecOptions {
  connection: Connection;
  userAgent: string;
  /** Whom to act as; the connection's own user when absent. */
  user?: string;
}

/** exec over a WebSocket. It never throws: every way to end is an `ExecResult`. */
export const createExec = ({ connection, userAgent, user }: ExecOptions): Kube['exec'] => {
  const open = async (request: ExecRequest) => {
    const path = execPath(request.namespace, request.pod, request.container, request.command);
    const [auth, dispatcher] = await Promise.all([connection.headers(user), connection.freshDispatcher()]);
    return { url: connection.server.replace(/^http/, 'ws') + path, auth, dispatcher };
  };
  return async (request) => {
    const timeout = AbortSignal.timeout(request.timeoutMs);
    const stop = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout;
    const handshake: Handshake = { sent: false };
    let dispatcher: Dispatcher | undefined;
    try {
      const opened = await open(request);
      dispatcher = opened.dispatcher;
      const composed = dispatcher.compose(observed(handshake));
      const socket = new WebSocket(opened.url, {
        protocols,
        dispatcher: composed,
        headers: [['user-agent', userAgent], ...pairsOf(opened.auth)],
      });
      return await run(socket, handshake, stop, timeout);
    } catch (error) {
      return { result: 'neverSent', error: errorFromCause(error) };
    } finally {
      handshake.socket?.destroy();
      void dispatcher?.destroy();
    }
  };
};
