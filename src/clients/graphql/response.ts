import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { type Failure, failureOf } from '../../domain/failure.ts';
import { fnv1a } from '../../domain/hash.ts';
import { isJsonObject, type Json, type JsonObject } from '../../domain/json.ts';
import { likeness } from '../../domain/likeness.ts';
import { type JsonLimits, type JsonPlace, parseSafely } from '../http/safe-json.ts';
import { addressOf, sanitize } from '../http/sanitize.ts';
import { unknownPaths } from './unknown-paths.ts';

/**
 * What an endpoint said; `same`: the same bytes as were known. `unknown`: paths of `data` that came back with an error, or as a number that cannot be compared;
 * they and all below mean nothing. `why`: what is the matter there.
 */
export type GraphqlResult =
  | { ok: true; same: true }
  | { ok: true; data: JsonObject; unknown: string[]; why?: string }
  | { ok: false; failure: Failure };

/** The parts of a GraphQL response that a poll uses. */
export interface GraphqlAnswer {
  data: JsonObject | null;
  errors: JsonObject[];
  /** Where `data` had numbers that cannot be compared. */
  unsafe: JsonPlace[];
}

/** More errors than this are not looked at one by one. */
const maxErrors = 100;

/** The text of a body; undefined where the bytes are not UTF-8. */
const textOf = (body: Buffer): string | undefined => (isUtf8(body) ? body.toString('utf8') : undefined);

const firstCharacter = /[^\s\ufeff]/;

/** Whether the text might be JSON at all, so that an HTML page is called what it is. */
const looksLikeJson = (text: string): boolean => /[[{"\d\-tfn]/.test(firstCharacter.exec(text)?.[0] ?? '');

const notGraphql = (url: URL | string, text: string): Failure =>
  failureOf('NotAGraphQLResponse', `${addressOf(url)} ${text}`);

const shapeOf = (value: Json, unsafe: JsonPlace[], url: URL | string): GraphqlAnswer | Failure => {
  if (!isJsonObject(value)) return notGraphql(url, 'answered with JSON that is not an object');
  const { data = null, errors = [] } = value;
  if (data !== null && !isJsonObject(data)) return notGraphql(url, 'answered with data that is not an object');
  if (!Array.isArray(errors)) return notGraphql(url, 'answered with errors that are not a list');
  if (data === null && errors.length === 0) return notGraphql(url, 'answered with neither data nor errors');
  return {
    data,
    errors: errors.map((error) => (isJsonObject(error) ? error : {})),
    unsafe: unsafe.filter(([first]) => first === 'data').map((place) => place.slice(1)),
  };
};

/** The answer in a body of a response with a good status, or why there is none in it. */
export const answerIn = (
  body: Buffer,
  contentType: IncomingHttpHeaders['content-type'],
  url: URL | string,
  limits: JsonLimits,
): GraphqlAnswer | Failure => {
  const text = textOf(body);
  if (text === undefined) return failureOf('InvalidJSON', `${addressOf(url)} answered with invalid UTF-8`);
  if (!looksLikeJson(text)) {
    const what = text.trim() === '' ? 'an empty body' : (contentType ?? 'text');
    return failureOf('NotJSON', `${addressOf(url)} answered with ${sanitize(what, 60)} instead of JSON`);
  }
  const parsed = parseSafely(text, limits);
  if (parsed.ok) return shapeOf(parsed.value, parsed.unsafe, url);
  if (parsed.class === 'TooLarge') return onlyErrors(text, url, limits) ?? named(parsed, url);
  return named(parsed, url);
};

const named = (fault: { class: Failure['class']; message: string }, url: URL | string): Failure =>
  failureOf(fault.class, `${addressOf(url)} answered with unacceptable JSON: ${fault.message}`);

/** A list of errors long enough to break the limits still says what is wrong; its first entry does. */
const onlyErrors = (text: string, url: URL | string, limits: JsonLimits): GraphqlAnswer | undefined => {
  const parsed = parseSafely(text, { ...limits, maxKeys: Number.POSITIVE_INFINITY });
  const answer = parsed.ok ? shapeOf(parsed.value, parsed.unsafe, url) : undefined;
  return answer !== undefined && 'errors' in answer && answer.errors.length > maxErrors ? answer : undefined;
};

/** What the first error says, and how many more there are. */
export const firstError = ({ errors }: GraphqlAnswer): string => {
  const message = errors[0]?.['message'];
  const text = typeof message === 'string' && message.trim() !== '' ? sanitize(message) : 'an error without a message';
  return errors.length > 1 ? `${text} (and ${errors.length - 1} more)` : text;
};

/**
 * Where in `data` an error shows: GraphQL takes a null upwards until something may be null, so the unknown part may
 * begin above the errored field. Undefined when the error does not say.
 */
const unknownPlace = (data: JsonObject, path: Json | undefined): JsonPlace | undefined => {
  if (!Array.isArray(path) || path.length === 0) return undefined;
  let at: Json | undefined = data;
  const place: (string | number)[] = [];
  for (const step of path) {
    if (typeof step !== 'string' && typeof step !== 'number') return undefined;
    if (typeof at !== 'object' || at === null) return place;
    place.push(step);
    at = (at as { [key: string]: Json })[step];
  }
  return place;
};

/** What the first error says apart from times, numbers and ids: the same as long as the same is wrong. */
export const aboutError = (answer: GraphqlAnswer): string => fnv1a(likeness(firstError(answer))).toString(36);

const unsafeWhy =
  'has a number that cannot be compared exactly, such as an integer beyond 2^53: let the application send it as text, and compare it with as: number';

/** What an answer means: a state, a state with unknown parts, or a failure. */
export const interpret = (answer: GraphqlAnswer, url: URL | string): GraphqlResult => {
  const { data, errors, unsafe } = answer;
  if (data !== null && errors.length === 0 && unsafe.length === 0) return { ok: true, data, unknown: [] };
  const message = `${addressOf(url)} answered with an error: ${firstError(answer)}`;
  const failed = (of: 'GraphQLError' | 'PartialData'): GraphqlResult => ({
    ok: false,
    failure: failureOf(of, message, { about: aboutError(answer) }),
  });
  if (data === null) return failed('GraphQLError');
  const places = errors.length > maxErrors ? [] : errors.map(({ path }) => unknownPlace(data, path));
  const errored = places.filter((place) => place !== undefined);
  if (errored.length !== errors.length) return failed('PartialData');
  const unknown = unknownPaths([...errored, ...unsafe]);
  if (!unknown.includes('')) return { ok: true, data, unknown, why: errors.length > 0 ? message : unsafeWhy };
  if (errors.length > 0) return failed('PartialData');
  return { ok: false, failure: failureOf('UnsafeNumber', `${addressOf(url)} answered with data that ${unsafeWhy}`) };
};
