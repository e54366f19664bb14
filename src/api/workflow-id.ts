import type { ObjectRef } from '../domain/refs.ts';
import type { Kind } from './crd/crd.ts';
import { kinds } from './kinds.ts';

const isNamespaced = ({ scope }: Kind): boolean => scope === 'Namespaced';

/** The id of an object's workflow: unique per uid, so that a name that comes back is another workflow. */
export const workflowIdOf = (kind: Kind, { namespace, name, uid }: ObjectRef): string =>
  [kind.singular, ...(isNamespaced(kind) ? [namespace] : []), name, uid].join('/');

/** What log lines call the object of a workflow: its namespace, and its name under the column of its kind; nothing for a workflow of another's. */
export function namesOfWorkflow(workflowId: string): Record<string, string> {
  const [singular, ...rest] = workflowId.split('/');
  const kind = Object.values<Kind>(kinds).find((each) => each.singular === singular);
  if (kind === undefined) return {};
  const [namespace, name = ''] = isNamespaced(kind) ? rest : [undefined, ...rest];
  return { ...(namespace !== undefined && { namespace }), [kind.column ?? kind.singular]: name };
}
