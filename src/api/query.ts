import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql';
import { isJsonObject, type Json } from '../domain/json.ts';
import { parsePath } from '../domain/path.ts';

/** The response fields that a query selects, by the name they come back with. One without fields of its own may hold anything. */
export interface Selected {
  [responseName: string]: Selected;
}

/** A query that can be asked, or why it cannot. */
export type QueryCheck = { selected: Selected } | { problem: string };

/** More than any sane query has; keeps the parser from being fed. */
const maxTokens = 10_000;

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>;

const newSelected = (): Selected => Object.create(null) as Selected;

/** Adds what a selection set selects; `inside` are the fragments being read, so that a cycle ends. */
function collect(set: SelectionSetNode, fragments: Fragments, into: Selected, inside: readonly string[]): Selected {
  for (const selection of set.selections) {
    if (selection.kind === Kind.FIELD) {
      const name = selection.alias?.value ?? selection.name.value;
      const child = into[name] ?? newSelected();
      into[name] = selection.selectionSet ? collect(selection.selectionSet, fragments, child, inside) : child;
    } else if (selection.kind === Kind.INLINE_FRAGMENT) collect(selection.selectionSet, fragments, into, inside);
    else {
      const name = selection.name.value;
      const fragment = fragments.get(name);
      if (fragment && !inside.includes(name)) collect(fragment.selectionSet, fragments, into, [...inside, name]);
    }
  }
  return into;
}

const operationsOf = (document: DocumentNode): OperationDefinitionNode[] =>
  document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);

const fragmentsOf = (document: DocumentNode): Fragments =>
  new Map(
    document.definitions.flatMap((definition) =>
      definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [],
    ),
  );

/** What is wrong with the operations of a document: there must be one, and it must be a query. */
function operationProblem([first, ...more]: OperationDefinitionNode[]): string | undefined {
  if (first === undefined) return 'has no operation: write one query, e.g. { application { health } }';
  if (more.length > 0)
    return `has ${more.length + 1} operations, exactly one is the limit: keep the query that reads the state`;
  if (first.operation === 'query') return undefined;
  return `is a ${first.operation}, only a query is asked: KCO reads the state again and again and must change nothing by it`;
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
): string | undefined {
  const declared = new Set(variableDefinitions.map(({ variable }) => variable.name.value));
  let used: string | undefined;
  visit(document, {
    Variable: ({ name }) => {
      if (!declared.has(name.value)) used ??= name.value;
    },
  });
  if (used !== undefined) return `uses $${used}, which the query does not declare: add it after the query's name`;
  const lacking = variableDefinitions.find(
    ({ variable, type, defaultValue }) =>
      type.kind === Kind.NON_NULL_TYPE && defaultValue === undefined && (given[variable.name.value] ?? null) === null,
  );
  if (lacking === undefined) return undefined;
  const { value } = lacking.variable.name;
  return `needs $${value}, which spec.variables does not give: add ${value} there`;
}

function check(document: DocumentNode, variables: Readonly<Record<string, unknown>>): QueryCheck {
  const operations = operationsOf(document);
  const fragments = fragmentsOf(document);
  const [operation] = operations;
  const problem = operationProblem(operations) ?? missingFragment(document, fragments);
  if (problem !== undefined || operation === undefined) return { problem: problem ?? '' };
  const wrongVariable = variableProblem(document, operation, variables);
  if (wrongVariable !== undefined) return { problem: wrongVariable };
  return { selected: collect(operation.selectionSet, fragments, newSelected(), []) };
}

function syntaxProblem(error: GraphQLError): string {
  const [at] = error.locations ?? [];
  const where = at === undefined ? '' : ` at line ${at.line}, column ${at.column}`;
  return `does not parse${where}: ${error.message.replace(/^Syntax Error: /, '')}`;
}

/**
 * Reads a GraphQL document that shall have exactly one query operation. Without a schema: whether the app knows the
 * fields is for the app to say.
 */
export function checkQuery(text: string, variables: Readonly<Record<string, unknown>> = {}): QueryCheck {
  try {
    return check(parse(text, { maxTokens }), variables);
  } catch (error) {
    if (error instanceof GraphQLError) return { problem: syntaxProblem(error) };
    throw error;
  }
}

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
      return `'${path}' is not selected by stateQuery: ${place} ${names.join(', ')}. Add '${step.field}' to the query or correct the path`;
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

/** What of an answer was asked for. A server that says more has not said it to us: it must not get into a history. */
export function onlySelected(answer: Json, selected: Selected): Json {
  const names = Object.keys(selected);
  if (names.length === 0) return answer;
  if (Array.isArray(answer)) return answer.map((item) => onlySelected(item, selected));
  if (!isJsonObject(answer)) return answer;
  return Object.fromEntries(
    names.flatMap((name) => {
      const [value, below] = [Object.hasOwn(answer, name) ? answer[name] : undefined, selected[name]];
      return value === undefined || below === undefined ? [] : [[name, onlySelected(value, below)]];
    }),
  );
}
