import { buildSchema, type DocumentNode, type ExecutionResult, execute, GraphQLError, parse, validate } from 'graphql';
import { type AppState, freshState } from './fleet.ts';

export const schema = buildSchema(`
  "What this instance says about itself."
  type Application {
    status: String!
    health: String
    pendingTasks: Int
    lastError: String
    version: String
    peers: Int
    height: Float
    nodes: [Node]
  }
  type Node { name: String! status: String }
  type Query { application: Application! }
  "A message whenever something of the instance has changed."
  type Subscription { application: Application! }
  "Each changes the instance that is asked, as if something had happened to it, and answers with the result."
  type Mutation {
    setStatus(status: String!): Application!
    setHealth(health: String!): Application!
    setPendingTasks(pendingTasks: Int!): Application!
    setLastError(lastError: String): Application!
    setVersion(version: String!): Application!
    setPeers(peers: Int!): Application!
    setHeight(height: Float!): Application!
    "Back to how it started."
    reset: Application!
  }
`);

/** A query as it arrives. */
export interface Asked {
  query?: unknown;
  variables?: unknown;
  operationName?: unknown;
}

type Change = Partial<AppState>;

const documents = new Map<string, DocumentNode | readonly GraphQLError[]>();

/** Parsed and validated, remembered by its text: a fleet asks the same few questions for ever. */
export const documentOf = (text: string): DocumentNode | readonly GraphQLError[] => {
  const known = documents.get(text);
  if (known !== undefined) return known;
  const read = (): DocumentNode | readonly GraphQLError[] => {
    try {
      const document = parse(text);
      const problems = validate(schema, document);
      return problems.length === 0 ? document : problems;
    } catch (error) {
      return [error instanceof GraphQLError ? error : new GraphQLError(String(error))];
    }
  };
  const document = read();
  if (documents.size > 100) documents.clear();
  documents.set(text, document);
  return document;
};

/** The state as resolvers give it; a field in `broken` fails when it is asked for. */
const application = (state: AppState, broken: readonly string[]): object => {
  const failing = broken.map((field) => [
    field,
    () => {
      throw new GraphQLError(`${field} cannot be read`);
    },
  ]);
  return { ...state, ...Object.fromEntries(failing) };
};

const resolvers = (state: AppState, broken: readonly string[]): object => {
  const change = (values: Change): object => application(Object.assign(state, values), broken);
  return {
    application: () => application(state, broken),
    setStatus: (values: Change) => change(values),
    setHealth: (values: Change) => change(values),
    setPendingTasks: (values: Change) => change(values),
    setLastError: ({ lastError = null }: Change) => change({ lastError }),
    setVersion: (values: Change) => change(values),
    setPeers: (values: Change) => change(values),
    setHeight: (values: Change) => change(values),
    reset: () => change(freshState()),
  };
};

/** Answers a query for one instance; `status` is the HTTP status that goes with it. */
export const answer = async (
  asked: Asked,
  state: AppState,
  broken: readonly string[],
): Promise<{ status: number; result: ExecutionResult }> => {
  const document = documentOf(typeof asked.query === 'string' ? asked.query : '');
  if (!('kind' in document)) return { status: 400, result: { errors: document } };
  const result = await execute({
    schema,
    document,
    rootValue: resolvers(state, broken),
    variableValues: (asked.variables ?? {}) as Record<string, unknown>,
    operationName: typeof asked.operationName === 'string' ? asked.operationName : undefined,
  });
  return { status: 200, result };
};
