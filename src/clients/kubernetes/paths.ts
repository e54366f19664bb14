import { KubeError } from './errors.ts';
import type { ObjectKey, ResourceRef } from './types.ts';

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Whether a text is a DNS-1123 label: what a namespace and a container may be called. */
export const isDns1123Label = (text: string): boolean => label.test(text);

/** Whether a text is a DNS-1123 subdomain: what a pod may be called. */
export const isDns1123Subdomain = (text: string): boolean => text.length <= 253 && subdomain.test(text);

const invalid = (what: string, name: string): KubeError =>
  new KubeError({ reason: 'InvalidName', message: `${JSON.stringify(name.slice(0, 64))} cannot be ${what}` });

/** One segment of a path; Kubernetes allows no `/`, no `%`, and neither `.` nor `..` in any name. */
const segment = (name: string): string => {
  if (name === '' || name === '.' || name === '..' || /[/%]/.test(name)) throw invalid('a name', name);
  return encodeURIComponent(name);
};

/** The group of an `apiVersion`; `''` is the core group. */
export const groupOf = (apiVersion: string): string =>
  apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';

/** `/api/v1` or `/apis/<group>/<version>`. */
export const groupVersionPath = (apiVersion: string): string =>
  `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion.split('/').map(segment).join('/')}`;

/** The path of a collection: of one namespace, or of all when there is none. */
export const collectionPath = (ref: ResourceRef, namespace?: string): string => {
  const within = ref.namespaced && namespace !== undefined ? `/namespaces/${segment(namespace)}` : '';
  return `${groupVersionPath(ref.apiVersion)}${within}/${segment(ref.plural)}`;
};

/** The path of one object, or of a subresource of it. */
export const objectPath = (ref: ResourceRef, key: ObjectKey, subresource?: string): string => {
  if (ref.namespaced && key.namespace === undefined) throw invalid('a namespace', '');
  const path = `${collectionPath(ref, key.namespace)}/${segment(key.name)}`;
  return subresource ? `${path}/${subresource}` : path;
};

/** A query string with its `?`, or nothing. Undefined, empty and false values are left out; lists repeat the name. */
export const queryOf = (values: Record<string, string | number | boolean | string[] | undefined>): string => {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value)) for (const item of value) query.append(name, item);
    else if (value !== undefined && value !== '' && value !== false) query.append(name, String(value));
  }
  const text = query.toString();
  return text ? `?${text}` : '';
};

/** The path of an exec, with every name checked for its form first: these paths decide what is run where. */
export const execPath = (namespace: string, pod: string, container: string | undefined, command: string[]): string => {
  if (!isDns1123Label(namespace)) throw invalid('the name of a namespace', namespace);
  if (!isDns1123Subdomain(pod)) throw invalid('the name of a pod', pod);
  if (container !== undefined && !isDns1123Label(container)) throw invalid('the name of a container', container);
  return `/api/v1/namespaces/${namespace}/pods/${pod}/exec${queryOf({ container, command, stdout: true, stderr: true })}`;
};
