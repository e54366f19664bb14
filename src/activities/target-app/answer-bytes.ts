import type { KnownBytes } from '../../clients/graphql/client.ts';
import type { EffectiveSpec } from './reader.ts';

/** The bytes of one subject's last answer, and what the workflow knew of the subject after it. */
export class AnswerBytes implements KnownBytes {
  #digest: string | undefined;
  #fingerprint: string | undefined;
  #latest: string | undefined;
  /** Answers that are being read. Of several, nobody knows which bytes led to what. */
  #unread = 0;
  #known: string | undefined;

  /** The fingerprint of what the workflow knows now. */
  expect(known: string | undefined): void {
    this.#known = known;
  }

  isKnown(digest: string): boolean {
    this.#latest = digest;
    const isKnown = this.#known !== undefined && digest === this.#digest && this.#known === this.#fingerprint;
    if (!isKnown) this.#unread += 1;
    return isKnown;
  }

  /** An answer was read, and comes to this. */
  learn(fingerprint: string | undefined): void {
    this.#digest = this.#unread === 1 ? this.#latest : undefined;
    this.#fingerprint = fingerprint;
    this.#unread = 0;
  }
}

/** By the spec under which they were read, and by subject: another spec makes something else of the same bytes. */
const remembered = new WeakMap<EffectiveSpec, Map<string, AnswerBytes>>();

/** What is remembered of a subject's answer. */
export function bytesOf(inForce: EffectiveSpec, subject: string): AnswerBytes {
  const subjects = remembered.get(inForce) ?? new Map<string, AnswerBytes>();
  remembered.set(inForce, subjects);
  const bytes = subjects.get(subject) ?? new AnswerBytes();
  subjects.set(subject, bytes);
  return bytes;
}

/** Forgets the subjects that are not asked any more. */
export function keepBytesOf(inForce: EffectiveSpec, subjects: readonly string[]): void {
  const known = remembered.get(inForce);
  if (known === undefined || known.size <= subjects.length) return;
  const asked = new Set(subjects);
  for (const subject of known.keys()) if (!asked.has(subject)) known.delete(subject);
}
