import { describe, expect, it } from '@jest/globals';
import { linesOf } from '../../../../src/clients/kubernetes/informer/lines.ts';

describe('the lines of a stream', () => {
  const read = async (chunks: Buffer[]): Promise<string[]> => {
    const source = async function* () {
      yield* chunks;
    };
    const lines: string[] = [];
    for await (const line of linesOf(source())) lines.push(line);
    return lines;
  };
  const text = '{"a":"é😀"}\n{"b":"ü"}\r\n\n{"c":1}\n';
  const whole = ['{"a":"é😀"}', '{"b":"ü"}', '{"c":1}'];

  it.each([1, 2, 3, 5, 7, 1000])('are the same whatever the chunks: %d bytes', async (size) => {
    const bytes = Buffer.from(text);
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    await expect(read(chunks)).resolves.toEqual(whole);
  });

  it('leave out what has no end', async () => {
    await expect(read([Buffer.from('{"a":1}\n{"b":')])).resolves.toEqual(['{"a":1}']);
  });
});
