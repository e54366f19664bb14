import type { EventDraft } from '../events.ts';
import type { Json } from '../json.ts';
import type { PodRef } from '../refs.ts';
import type { CompiledRule } from './compiled-spec.ts';

/** A value as a person writes it: text without quotes, nothing as `(absent)`. */
export const shown = (value: Json | undefined): string =>
  value === undefined ? '(absent)' : typeof value === 'string' ? (value === '' ? '""' : value) : JSON.stringify(value);

/** A value with its type, where it is the type that matters. */
export const typed = (value: Json | undefined): string =>
  value === undefined || value === null || typeof value === 'object'
    ? shown(value)
    : `the ${typeof value === 'string' ? `text ${JSON.stringify(value)}` : `${typeof value} ${value}`}`;

export const on = (pod: PodRef | undefined): string => (pod === undefined ? '' : ` on pod ${pod.name}`);

/** A draft without an undefined pod. */
export const draft = (fields: EventDraft): EventDraft => {
  const { pod, ...rest } = fields;
  return pod === undefined ? rest : fields;
};

/** A rule's trigger as a person reads it. */
export function triggerText({ trigger }: CompiledRule, show = shown): string {
  const value = trigger.value === undefined ? '' : ` ${show(trigger.value)}`;
  const as = trigger.as === undefined ? '' : ` as ${trigger.as}`;
  return `${trigger.field === undefined ? '' : `${trigger.field} `}${trigger.condition}${value}${as}`;
}
