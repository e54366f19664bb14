import { expect, it } from '@jest/globals';
import { retryAfterMs } from '../../../src/clients/http/retry-after.ts';

it.each([
  ['7', 7000],
  ['Thu, 01 Jan 1970 00:00:12 GMT', 2000],
  ['Thu, 01 Jan 1970 00:00:01 GMT', 0],
  ['soon', undefined],
  [undefined, undefined],
])('reads a Retry-After of %j', (header, expected) => {
  expect(retryAfterMs(header, 10_000)).toBe(expected);
});
