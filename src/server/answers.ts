/** A complete answer. Its length is said, so that HEAD can say it without a body. */
export const answer = (status: number, type: string, body: string): Response =>
  new Response(body, { status, headers: { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) } });

/** An answer in JSON, on a line of its own for whoever reads it in a terminal. */
export const json = (status: number, body: unknown): Response =>
  answer(status, 'application/json; charset=utf-8', `${JSON.stringify(body)}\n`);
