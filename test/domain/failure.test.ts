import { expect, it } from '@jest/globals';
import { failureKey, failureOf } from '../../src/domain/failure.ts';

it('a failure that says something else of the app is another one, though its class is the same', () => {
  const failing = failureOf('HTTPStatus', 'answers 500', { about: '500' });
  const unreachable = failureOf('HTTPStatus', 'answers 503', { about: '503', kind: 'unreachable' });
  const unknown = failureOf('HTTPStatus', 'answers 500', { about: '500', kind: 'unknown' });
  expect(new Set([failing, unreachable, unknown].map(failureKey)).size).toBe(3);
  expect(failureKey(failureOf('HTTPStatus', 'answers 500 again', { about: '500' }))).toBe(failureKey(failing));
});
