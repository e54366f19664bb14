import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  Lexer,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  Source,
  TokenKind,
  visit,
} from 'graphql';
import { parsePath } from '../../domain/path.ts';

/** The response fields that a query selects, by the name they come back with. One without fields of its own may hold anything. */
export interface Selected {
  [responseName: string]: Selected;
}

/** A query that can be asked, or why it cannot. */
export type QueryCheck = { selected: Selected } | { problem: string };

/** More than any sane query has; keeps the parser from being fed. */
const maxTokens = 10_000;

/** An answer that is taken is not deeper than half of this; beyond some thousand levels reading would end the process. */
const maxDepth = 64;
/** Fields and fragments, each as often as it is reached: a fragment that spreads another twice doubles what is below. */
const maxSelections = 10_000;
/** Names that a message lists. */
const maxNames = 20;

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

const newSelected = (): Selected => Object.create(null) as Selected;

/** How many selections may still be looked at. */
interface Room {
  left: number;
}

/** Adds what a selection set selects; `inside` are the fragments being read, so that a cycle ends. */
function collect(
  set: SelectionSetNode,
  fragments: Fragments,
  into: Selected,
  room: Room,
  inside: readonly string[] = [],
): Selected {
  for (const selection of set.selections) {
    room.left -= 1;
    if (room.left < 0) break;
    if (selection.kind === Kind.FIELD) {
      const name = selection.alias?.value ?? selection.name.value;
      const child = into[name] ?? newSelected();
      into[name] = selection.selectionSet ? collect(selection.selectionSet, fragments, child, room, inside) : child;
    } else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet, fragments, into, room, inside);
    else {
      const name = selection.name.value;
      const fragment = fragments.get(name);
      if (fragment && !inside.includes(name)) collect(fragment.selectionSet, fragments, into, room, [...inside, name]);
    }
  }
  return into;
}

/** How deep brackets of any kind are nested. Told without reading the document, which follows them down by calling itself. */
function depthOf(text: string): number {
  const lexer = new Lexer(new Source(text));
  let depth = 0;
  let deepest = 0;
  for (let tokens = 0; tokens <= maxTokens; tokens++) {
    const { kind } = lexer.advance();
    if (kind === TokenKind.EOF) break;
    if (kind === TokenKind.BRACE_L || kind === TokenKind.BRACKET_L || kind === TokenKind.PAREN_L) depth += 1;
    if (kind === TokenKind.BRACE_R || kind === TokenKind.BRACKET_R || kind === TokenKind.PAREN_R) depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

const operationsOf = (document: DocumentNode): OperationDefinitionNode[] =>
  document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);

const fragmentsOf = (document: DocumentNode): Fragments =>
  new Map(
    document.definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [],
    ),
  );

/** What a document is to be, and what is said of one that is not. */
interface Wanted {
  operation: 'query' | 'subscription';
  example: string;
  /** Which of several operations to keep. */
  keep: string;
  /** Why it must be no other operation. */
  only: string;
  /** Where its variables are. */
  variables: string;
}

const aQuery: Wanted = {
  operation: 'query',
  example: '{ application { health } }',
  keep: 'the query that reads the state',
  only: 'only a query is asked: KCO reads the state again and again and must change nothing by it',
  variables: 'spec.variables',
};
const aSubscription: Wanted = {
  operation: 'subscription',
  example: 'subscription { application { health } }',
  keep: 'the one whose messages say that the state has changed',
  only: 'only a subscription has messages: the state itself is read by spec.stateQuery',
  variables: 'spec.stateSubscription.variables',
};

/** What is wrong with the operations of a document: there must be one, and it must be what is wanted. */
function operationProblem([first, ...more]: OperationDefinitionNode[], wanted: Wanted): string | undefined {
  if (first === undefined) return `has no operation: write one ${wanted.operation}, e.g. ${wanted.example}`;
  if (more.length > 0) return `has ${more.length + 1} operations, exactly one is the limit: keep ${wanted.keep}`;
  return first.operation === wanted.operation ? undefined : `is a ${first.operation}, ${wanted.only}`;
}

function missingFragment(document: DocumentNode, fragments: Fragments): string | undefined {
  let missing: string | undefined;
  visit(document, {
    FragmentSpread: ({ name }) => {
      if (!fragments.has(name.value)) missing ??= name.value;
    },
  });
  return missing === undefined ? undefined : `spreads the fragment ${missing}, which it does not define: add it`;
}

/** A variable that is used but not declared, or must be given and is not. */
function variableProblem(
  document: DocumentNode,
  { variableDefinitions = [] }: OperationDefinitionNode,
  given: Readonly<Record<string, unknown>>,
  wanted: Wanted,
): string | undefined {
  const declared = new Set(variableDefinitions.map(({ variable }) => variable.name.value));
  let used: string | undefined;
  visit(document, {
    Variable: ({ name }) => {
      if (!declared.has(name.value)) used ??= name.value;
    },
  });
  if (used !== undefined)
    return `uses $${used}, which the ${wanted.operation} does not declare: add it after the name of the ${wanted.operation}`;
  const lacking = variableDefinitions.find(
    ({ variable, type, defaultValue }) =>
      type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined && (given[variable.name.value] ?? null) === null,
  );
  if (lacking === undefined) return undefined;
  const { value } = lacking.variable.name;
  return `needs $${value}, which ${wanted.variables} does not give: add ${value} there`;
}

function check(document: DocumentNode, variables: Readonly<Record<string, unknown>>, wanted: Wanted): QueryCheck {
  const operations = operationsOf(document);
  const fragments = fragmentsOf(document);
  const [operation] = operations;
  const problem = operationProblem(operations, wanted) ?? missingFragment(document, fragments);
  if (problem !== undefined || operation === undefined) return { problem: problem ?? '' };
  const wrongVariable = variableProblem(document, operation, variables, wanted);
  if (wrongVariable !== undefined) return { problem: wrongVariable };
  const room: Room = { left: maxSelections };
  const selected = collect(operation.selectionSet, fragments, newSelected(), room);
  if (room.left >= 0) return { selected };
  return { problem: `selects more than ${maxSelections} fields with its fragments written out: select fewer` };
}

function syntaxProblem(error: GraphQLError): string {
  const [at] = error.locations ?? [];
  const where = at === undefined ? '' : ` at line ${at.line}, column ${at.column}`;
  return `does not parse${where}: ${error.message.replace(/^Syntax Error: /, '')}`;
}

function checkDocument(text: string, variables: Readonly<Record<string, unknown>>, wanted: Wanted): QueryCheck {
  try {
    const depth = depthOf(text);
    if (depth > maxDepth) return { problem: `is nested ${depth} levels deep, ${maxDepth} are the limit` };
    return check(parse(text, { maxTokens }), variables, wanted);
  } catch (error) {
    if (error instanceof GraphQLError) return { problem: syntaxProblem(error) };
    throw error;
  }
}

/**
 * Reads a GraphQL document that shall have exactly one query operation. Without a schema: whether the app knows the
 * fields is for the app to say.
 */
export const checkQuery = (text: string, variables: Readonly<Record<string, unknown>> = {}): QueryCheck =>
  checkDocument(text, variables, aQuery);

/** The same of a subscription: what is wrong with it, if anything is. */
export function subscriptionProblem(
  text: string,
  variables: Readonly<Record<string, unknown>> = {},
): string | undefined {
  const checked = checkDocument(text, variables, aSubscription);
  return 'problem' in checked ? checked.problem : undefined;
}

const listed = (names: readonly string[]): string =>
  names.length <= maxNames
    ? names.join(', ')
    : `${names.slice(0, maxNames).join(', ')} and ${names.length - maxNames} more`;

/**
 * Why a path leads to nothing that the query selects; undefined when it leads somewhere. Below a field that is selected
 * without fields of its own anything may lie: it can be a scalar that holds JSON.
 */
export function unselected(selected: Selected, path: string): string | undefined {
  let here = selected;
  let above = '';
  for (const step of parsePath(path)) {
    if (typeof step !== 'object' || !('field' in step)) continue;
    const names = Object.keys(here);
    if (names.length === 0) return undefined;
    const next = here[step.field];
    if (next === undefined) {
      const place = above === '' ? 'stateQuery selects' : `under '${above}' stateQuery selects`;
      return `'${path}' is not selected by stateQuery: ${place} ${listed(names)}. Add '${step.field}' to the query or correct the path`;
    }
    here = next;
    above = above === '' ? step.field : `${above}.${step.field}`;
  }
  return undefined;
}

/** The names that are selected below a path; none where it leads to a value without fields of its own, or to nothing. */
export function selectedBelow(selected: Selected, path: string): string[] {
  const names = parsePath(path).flatMap((step) => (typeof step === 'object' && 'field' in step ? [step.field] : []));
  const found = names.reduce<Selected | undefined>((here, name) => here?.[name], selected);
  return Object.keys(found ?? {});
}
