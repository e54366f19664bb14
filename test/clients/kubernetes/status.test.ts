import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../../src/clients/kubernetes/client.ts';
import { createApplyStatus } from '../../../src/clients/kubernetes/status.ts';
import type { JsonObject } from '../../../src/domain/json.ts';

const ref = { apiVersion: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true };
const metadata = { namespace: 'shop', name: 'cart', uid: 'u' };
const saidAt = (revision: number): JsonObject => ({ metadata, status: { revision } });
const newerThan = (revision: number) => ({
  isNewer: ({ status }: KubeObject & { status?: { revision?: number } }) => (status?.revision ?? 0) > revision,
});

describe('a status that comes late', () => {
  it('leaves the newer one that this process has written, without a request', async () => {
    const requests: string[] = [];
    const stored = { metadata: { ...metadata, resourceVersion: '1' } };
    const apply = createApplyStatus({
      get: async <T>() => {
        requests.push('get');
        return stored as T;
      },
      patch: async <T>(_ref: unknown, _key: unknown, { body }: { body: unknown }) => {
        requests.push('patch');
        return { ...(body as object), ...stored } as T;
      },
    });
    expect(await apply(ref, saidAt(1), newerThan(1))).toBe('applied');
    expect(await apply(ref, saidAt(3), newerThan(3))).toBe('applied');
    expect(await apply(ref, saidAt(2), newerThan(2))).toBe('newer');
    expect(requests).toEqual(['get', 'patch', 'patch']);
  });
});
