import { z } from 'zod';
import { cel } from './cel.ts';

const userinfo = '^([a-zA-Z][-a-zA-Z0-9+.]*://)?[^/?#]*@';
const form =
  '^(/[^ ]*|(https?://)?(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?)(:[0-9]{1,5})?([/?][^ ]*)?)$';
const howTo =
  'use a path (/graphql), a host with a path (app.ns.svc.cluster.local/graphql) or an http:// or https:// URL';
const noUserinfo = 'must not carry a user name or a password: everyone who may read the TargetApp would see them';

/** Where the state is read: a path on every pod, or one URL for the app as a whole. */
export const Endpoint = z
  .string()
  .min(1)
  .max(2048)
  .refine((text) => !new RegExp(userinfo).test(text), { error: noUserinfo, params: { isSecret: true } })
  .refine((text) => new RegExp(userinfo).test(text) || new RegExp(form).test(text), {
    error: `is not an endpoint that can be asked: ${howTo}`,
  })
  .default('/graphql')
  .meta({
    description:
      'Where the state is read. A path such as /graphql (default) is asked on the IP of each matching pod. A URL, with or without scheme, such as app.ns.svc.cluster.local/graphql, is asked once for the app as a whole.',
    ...cel(
      { rule: `!self.matches(r'${userinfo}')`, message: noUserinfo },
      {
        rule: `self.matches(r'${userinfo}') || self.matches(r'${form}')`,
        message: `is not an endpoint that can be asked: ${howTo}`,
        messageExpression: `"'" + self + "' is not an endpoint that can be asked: ${howTo}"`,
      },
    ),
  });
export type Endpoint = z.infer<typeof Endpoint>;

const portName = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
const portHowTo = 'use a number from 1 to 65535 or the name of a container port, e.g. 8080 or http';

/** A container port, by number or name. */
export const Port = z
  .union([
    z.int().min(1).max(65_535),
    z
      .string()
      .max(15)
      .refine((text) => new RegExp(portName).test(text), { error: portHowTo }),
  ])
  .meta({
    description:
      "The port where a path is reached on a pod: a number or the name of a container port. Default: the pod's only or first container port.",
    'x-kubernetes-int-or-string': true,
    maxLength: 15,
    ...cel({
      rule: `type(self) == int ? self >= 1 && self <= 65535 : string(self).matches('${portName}')`,
      message: `is not a port: ${portHowTo}`,
      messageExpression: `"'" + string(self) + "' is not a port: ${portHowTo}"`,
    }),
  });
export type Port = z.infer<typeof Port>;
