/** One `x-kubernetes-validations` rule: a CEL expression that the API server evaluates at every write. */
export interface CelRule {
  /** True for what is accepted; `self` is the value the rule stands on. */
  rule: string;
  /** The sentence of the refusal. */
  message?: string;
  /** CEL that makes the sentence, where it can quote the value. `message` is what remains if it fails. */
  messageExpression?: string;
  /** What kind of refusal it is, e.g. `FieldValueRequired`. */
  reason?: string;
  /** Where the refusal points to, relative to the value, e.g. `.trigger.field`. */
  fieldPath?: string;
}

/** Schema metadata that carries rules into the CRD. zod refinements do not get there, so both are written side by side. */
export const cel = (...rules: CelRule[]): { 'x-kubernetes-validations': CelRule[] } => ({
  'x-kubernetes-validations': rules,
});

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** A property name as CEL spells it: `for` is `__for__`, `a-b` is `a__dash__b`. */
export const celField = (name: string): string =>
  reserved.has(name)
    ? `__${name}__`
    : name
        .replaceAll('__', '__underscores__')
        .replaceAll('.', '__dot__')
        .replaceAll('-', '__dash__')
        .replaceAll('/', '__slash__');

/** A CEL string literal. */
export const celString = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;

/** A CEL list of string literals. */
export const celList = (texts: readonly string[]): string => `[${texts.map(celString).join(', ')}]`;

/** A regular expression as a CEL literal, raw where it has backslashes. It has no three double quotes. */
export const celPattern = (pattern: string): string => {
  if (!pattern.includes('\\')) return celString(pattern);
  return pattern.includes("'") ? `r"""${pattern}"""` : `r'${pattern}'`;
};
