import type { Requests } from './requests.ts';
import type { Kube } from './types.ts';

interface AccessReview {
  status?: { allowed?: boolean; reason?: string };
}

interface SubjectReview {
  status?: { userInfo?: { username?: string } };
}

/** Who one is to the API server, and what one may do there. */
export const createAccessReviews = (requests: Requests): Pick<Kube, 'canI' | 'whoAmI'> => ({
  canI: async (access, { signal } = {}) => {
    const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: access },
    };
    const { status } = await requests.send<AccessReview>({ method: 'POST', path, body, signal });
    return { allowed: status?.allowed ?? false, reason: status?.reason ?? '' };
  },

  whoAmI: async ({ signal } = {}) => {
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const { status } = await requests.send<SubjectReview>({ method: 'POST', path, body, signal });
    return status?.userInfo?.username ?? '';
  },
});
