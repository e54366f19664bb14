import { describe, expect, it } from '@jest/globals';
import { AnswerBytes, bytesOf, keepBytesOf } from '../../../src/activities/target-app/answer-bytes.ts';
import type { EffectiveSpec } from '../../../src/activities/target-app/reader.ts';

const specOf = (generation: number): EffectiveSpec => ({ generation, plan: {} as EffectiveSpec['plan'] });

describe('the bytes of an answer', () => {
  it('are known when they were read before and the workflow knows what came of them', () => {
    const bytes = new AnswerBytes();
    bytes.expect('f1');
    expect(bytes.isKnown('d1')).toBe(false);
    bytes.learn('f1');
    expect(bytes.isKnown('d1')).toBe(true);
    expect(bytes.isKnown('d2')).toBe(false);
  });

  it('are read again when the workflow knows something else, or nothing', () => {
    const bytes = new AnswerBytes();
    bytes.expect('f1');
    bytes.isKnown('d1');
    bytes.learn('f1');
    for (const known of ['f1!Timeout', undefined]) {
      bytes.expect(known);
      expect(bytes.isKnown('d1')).toBe(false);
    }
  });

  it('are read again after two answers at the same time, in whatever order these were read', () => {
    const bytes = new AnswerBytes();
    bytes.expect('before');
    bytes.isKnown('d1');
    bytes.isKnown('d2');
    bytes.learn('f2');
    bytes.learn('f1');
    for (const [known, digest] of [
      ['f1', 'd2'],
      ['f2', 'd1'],
    ] as const) {
      bytes.expect(known);
      expect(bytes.isKnown(digest)).toBe(false);
    }
  });

  it('are read again when what came whole was refused', () => {
    const bytes = new AnswerBytes();
    bytes.expect('f1');
    bytes.isKnown('d1');
    bytes.learn(undefined);
    expect(bytes.isKnown('d1')).toBe(false);
  });

  it('mean nothing under another spec, and are forgotten with their subject', () => {
    const [spec, other] = [specOf(1), specOf(2)];
    const bytes = bytesOf(spec, 'pod-1');
    expect(bytesOf(spec, 'pod-1')).toBe(bytes);
    expect(bytesOf(other, 'pod-1')).not.toBe(bytes);
    keepBytesOf(spec, []);
    expect(bytesOf(spec, 'pod-1')).not.toBe(bytes);
  });
});
