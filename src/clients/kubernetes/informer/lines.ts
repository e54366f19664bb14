const newline = 0x0a;

/**
 * Whole lines of a stream of bytes. Bytes are cut before they are decoded, so neither a chunk boundary inside a line nor
 * one inside a character matters. What follows the last newline is dropped: half an event is none.
 */
export const linesOf = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  let pending: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
      pending.push(chunk.subarray(from, at));
      const line = Buffer.concat(pending).toString('utf8').trim();
      pending = [];
      from = at + 1;
      if (line) yield line;
    }
    if (from < chunk.length) pending.push(chunk.subarray(from));
  }
};
