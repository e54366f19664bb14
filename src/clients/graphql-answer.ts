import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { isJsonObject, type Json, type JsonObject } from '../domain/json.ts';
import { type Failure, failureOf } from '../domain/observation.ts';
import { addressOf, printable } from './printable.ts';
import { type JsonLimits, parseSafely } from './safe-json.ts';

/** What an endpoint said. `unknown`: paths of `data` that came back with an error; they and all below mean nothing. */
export type GraphqlResult = { ok: true; data: JsonObject; unknown: string[] } | { ok: false; failure: Failure };

/** The parts of a GraphQL response that a poll uses. */
export interface GraphqlAnswer {
  data: JsonObject | null;
  errors: JsonObject[];
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

const shapeOf = (value: Json, url: URL | string): GraphqlAnswer | Failure => {
  if (!isJsonObject(value)) return notGraphql(url, 'answered with JSON that is not an object');
  const { data = null, errors = [] } = value;
  if (data !== null && !isJsonObject(data)) return notGraphql(url, 'answered with data that is not an object');
  if (!Array.isArray(errors)) return notGraphql(url, 'answered with errors that are not a list');
  if (data === null && errors.length === 0) return notGraphql(url, 'answered with neither data nor errors');
  return { data, errors: errors.map((error) => (isJsonObject(error) ? error : {})) };
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
    return failureOf('NotJSON', `${addressOf(url)} answered with ${printable(what, 60)} instead of JSON`);
  }
  const parsed = parseSafely(text, limits);
  if (parsed.ok) return shapeOf(parsed.value, url);
  if (parsed.class === 'TooLarge') return onlyErrors(text, url, limits) ?? named(parsed, url);
  return named(parsed, url);
};

const named = (fault: { class: Failure['class']; message: string }, url: URL | string): Failure =>
  failureOf(fault.class, `${addressOf(url)} answered with unacceptable JSON: ${fault.message}`);

/** A list of errors long enough to break the limits still says what is wrong; its first entry does. */
const onlyErrors = (text: string, url: URL | string, limits: JsonLimits): GraphqlAnswer | undefined => {
  const parsed = parseSafely(text, { ...limits, maxKeys: Number.POSITIVE_INFINITY });
  const answer = parsed.ok ? shapeOf(parsed.value, url) : undefined;
  return answer !== undefined && 'errors' in answer && answer.errors.length > maxErrors ? answer : undefined;
};

/** What the first error says, and how many more there are. */
export const firstError = ({ errors }: GraphqlAnswer): string => {
  const message = errors[0]?.['message'];
  const text = typeof message === 'string' && message.trim() !== '' ? printable(message) : 'an error without a message';
  return errors.length > 1 ? `${text} (and ${errors.length - 1} more)` : text;
};

const append = (path: string, step: string | number): string => {
  if (typeof step === 'number') return `${path}[${step}]`;
  return path === '' ? step : `${path}.${step}`;
};

/**
 * Where in `data` an error shows: GraphQL takes a null upwards until something may be null, so the unknown part may
 * begin above the errored field. Undefined when it is all of `data`, or the error does not say.
 */
const unknownPath = (data: JsonObject, path: Json | undefined): string | undefined => {
  if (!Array.isArray(path) || path.length === 0) return undefined;
  let at: Json | undefined = data;
  let text = '';
  for (const step of path) {
    if (typeof step !== 'string' && typeof step !== 'number') return undefined;
    if (typeof at !== 'object' || at === null) return text;
    text = append(text, step);
    at = (at as { [key: string]: Json })[step];
  }
  return text;
};

/** What an answer means: a state, a state with unknown parts, or a failure. */
export const judge = (answer: GraphqlAnswer, url: URL | string): GraphqlResult => {
  const { data, errors } = answer;
  if (data !== null && errors.length === 0) return { ok: true, data, unknown: [] };
  const message = `${addressOf(url)} answered with an error: ${firstError(answer)}`;
  if (data === null) return { ok: false, failure: failureOf('GraphQLError', message) };
  const paths = errors.length > maxErrors ? [] : errors.map(({ path }) => unknownPath(data, path));
  const known = paths.filter((path) => path !== undefined);
  if (known.length !== errors.length) return { ok: false, failure: failureOf('PartialData', message) };
  return { ok: true, data, unknown: [...new Set(known)] };
};
