import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type Servers, startServers } from '../../../dev/servers/start-servers.ts';
import { createKube, type Kube } from '../../../src/clients/kubernetes/client.ts';
import { json, startFakeApiServer } from '../../support/fake-api-server.ts';
import { type ProxyUnderTest, startHttpProxy, startSocksProxy } from '../../support/proxies.ts';

let servers: Servers;
let folder: string;
/** Of the user `carol`, PEM. */
let certificate: { cert: string; key: string };
/** Of the ServiceAccount default/default. */
let token: string;
const robot = 'system:serviceaccount:default:default';

const userIn = (file: string) => parse(readFileSync(file, 'utf8')).users[0].user;
const decoded = (text: string) => Buffer.from(text, 'base64').toString();

beforeAll(async () => {
  servers = await startServers({ parts: 'kubernetes' });
  folder = mkdtempSync(join(tmpdir(), 'kco-kubeconfig-'));
  const carol = userIn(await servers.kubernetes.kubeconfigFor('carol', ['team']));
  certificate = { cert: decoded(carol['client-certificate-data']), key: decoded(carol['client-key-data']) };
  token = userIn(await servers.kubernetes.serviceAccountKubeconfig('default', 'default')).token;
}, 900_000);
afterAll(async () => {
  await servers?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

const clients: Kube[] = [];
afterEach(async () => void (await Promise.all(clients.splice(0).map((kube) => kube.close()))));

/** Writes a file into the folder of the kubeconfigs; its path. */
const write = (name: string, text: string, mode = 0o600): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};

let written = 0;
/** A kubeconfig with this user, and these further fields of its cluster. */
const kubeconfigWith = (user: object | undefined, cluster: object = {}): string => {
  const authority = { 'certificate-authority-data': Buffer.from(servers.kubernetes.ca).toString('base64') };
  return write(
    `config-${written++}`,
    JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: servers.kubernetes.apiServer, ...authority, ...cluster } }],
      users: user === undefined ? [] : [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
};

const clientOf = (kubeconfig: string): Kube => {
  const kube = createKube({ kubeconfig });
  clients.push(kube);
  return kube;
};
const whoIs = (user: object, cluster?: object) => clientOf(kubeconfigWith(user, cluster)).whoAmI();

/** A script that prints a credential, and notes how often it was run and what it was told. */
const plugin = (name: string, status: object): string => {
  const credential = { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status };
  write(`${name}.json`, JSON.stringify(credential));
  const script = `#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >> "${folder}/${name}.told"\ncat "${folder}/${name}.json"\n`;
  return write(name, script, 0o700);
};
const exec = (command: string, more: object = {}) => ({
  exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'IfAvailable', ...more },
});
const toldTo = (name: string): string[] =>
  readFileSync(join(folder, `${name}.told`), 'utf8')
    .trim()
    .split('\n');

describe('a user of a kubeconfig signs in', () => {
  it('by a token', async () => {
    await expect(whoIs({ token })).resolves.toBe(robot);
  });

  it('by a tokenFile, whose path counts from the kubeconfig', async () => {
    write('token', `${token}\n`);
    await expect(whoIs({ tokenFile: 'token' })).resolves.toBe(robot);
    await expect(whoIs({ tokenFile: join(folder, 'token') })).resolves.toBe(robot);
  });

  it('by a tokenFile rather than by the token beside it', async () => {
    const other = userIn(await servers.kubernetes.serviceAccountKubeconfig('kube-system', 'default')).token;
    write('other-token', other);
    await expect(whoIs({ token, tokenFile: 'other-token' })).resolves.toBe('system:serviceaccount:kube-system:default');
  });

  it('by the token of a tokenFile that was replaced', async () => {
    const path = write('rotated-token', 'expired');
    const kube = clientOf(kubeconfigWith({ tokenFile: 'rotated-token' }));
    await expect(kube.whoAmI()).rejects.toMatchObject({ status: 401 });
    writeFileSync(path, token);
    await new Promise((resolve) => setTimeout(resolve, 5_100));
    await expect(kube.whoAmI()).resolves.toBe(robot);
    // While it is being replaced, the one before it is good.
    rmSync(path);
    await expect(kube.whoAmI()).resolves.toBe(robot);
  }, 20_000);

  it('by a client certificate in the kubeconfig, and by one in files', async () => {
    const data = (text: string) => Buffer.from(text).toString('base64');
    const inline = {
      'client-certificate-data': data(certificate.cert),
      'client-key-data': data(certificate.key),
    };
    await expect(whoIs(inline)).resolves.toBe('carol');
    write('carol.crt', certificate.cert);
    write('carol.key', certificate.key);
    await expect(whoIs({ 'client-certificate': 'carol.crt', 'client-key': 'carol.key' })).resolves.toBe('carol');
  });

  it('by an exec plugin that gives a token, which is run again when it has expired', async () => {
    const command = plugin('gives-token', { token, expirationTimestamp: '2001-01-01T00:00:00Z' });
    const kube = clientOf(kubeconfigWith(exec(command, { env: [{ name: 'A', value: 'b' }], args: ['x'] })));
    await expect(kube.whoAmI()).resolves.toBe(robot);
    const runs = toldTo('gives-token').length;
    await expect(kube.whoAmI()).resolves.toBe(robot);
    expect(toldTo('gives-token').length).toBeGreaterThan(runs);
    expect(JSON.parse(toldTo('gives-token')[0] ?? '')).toEqual({
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      spec: { interactive: false },
    });
  });

  it('by an exec plugin that gives a certificate, is kept while it is good, and is told of the cluster', async () => {
    plugin('gives-certificate', { clientCertificateData: certificate.cert, clientKeyData: certificate.key });
    const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'a' } }];
    const kubeconfig = kubeconfigWith(exec('./gives-certificate', { provideClusterInfo: true }), { extensions });
    const kube = clientOf(kubeconfig);
    await expect(kube.whoAmI()).resolves.toBe('carol');
    await expect(kube.whoAmI()).resolves.toBe('carol');
    expect(toldTo('gives-certificate')).toHaveLength(1);
    const { cluster } = JSON.parse(toldTo('gives-certificate')[0] ?? '').spec;
    expect(cluster).toMatchObject({ server: servers.kubernetes.apiServer, config: { audience: 'a' } });
  });

  it('as whom the kubeconfig says', async () => {
    const { adminToken } = servers.kubernetes;
    const as = { as: 'dave', 'as-groups': ['system:masters', 'team'], 'as-user-extra': { 'example.com/Why': ['x'] } };
    const kube = clientOf(kubeconfigWith({ token: adminToken, ...as }));
    await expect(kube.whoAmI()).resolves.toBe('dave');
    await expect(kube.canI({ verb: 'delete', group: '', resource: 'nodes' })).resolves.toMatchObject({ allowed: true });
    // Whom an action acts as comes in its place, groups and all.
    const acting = kube.as(robot);
    await expect(acting.whoAmI()).resolves.toBe(robot);
    await expect(acting.canI({ verb: 'delete', group: '', resource: 'nodes' })).resolves.toMatchObject({
      allowed: false,
    });
  });

  it('by name and password, where something in front of the API server takes them', async () => {
    const api = await startFakeApiServer({ answer: json({}), user: { username: 'erin', password: 'p:w' } });
    await clientOf(api.kubeconfig).ready();
    expect(api.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('erin:p:w').toString('base64')}`);
    await api.close();
  });

  it('without a word where the kubeconfig has none, e.g. to a kubectl proxy', async () => {
    const api = await startFakeApiServer({ answer: json({}) });
    const config = JSON.parse(readFileSync(api.kubeconfig, 'utf8'));
    const plain = { server: config.clusters[0].cluster.server };
    const contexts = [{ name: 'x', context: { cluster: 'c' } }];
    const kubeconfig = write(
      'plain',
      JSON.stringify({ clusters: [{ name: 'c', cluster: plain }], contexts, 'current-context': 'x' }),
    );
    await clientOf(kubeconfig).ready();
    expect(api.requests[0]?.headers.authorization).toBeUndefined();
    await api.close();
  });

  it.each<[string, () => Promise<ProxyUnderTest>]>([
    ['http', startHttpProxy],
    ['socks5', startSocksProxy],
  ])('through a proxy-url of %s', async (_, start) => {
    const proxy = await start();
    await expect(whoIs({ token }, { 'proxy-url': proxy.url })).resolves.toBe(robot);
    expect(proxy.connections).toBeGreaterThan(0);
    await Promise.all(clients.splice(0).map((kube) => kube.close()));
    await proxy.close();
  });
});

describe('several kubeconfigs', () => {
  it('are one; the first that says something wins, and one that is absent is left out', async () => {
    const [first, second] = [kubeconfigWith({ token }), kubeconfigWith({ token: 'never' })];
    const paths = [join(folder, 'absent'), first, second].join(delimiter);
    await expect(clientOf(paths).whoAmI()).resolves.toBe(robot);
  });

  it('may each have a part', async () => {
    mkdirSync(join(folder, 'parts'), { recursive: true });
    write('parts/token', token);
    const whole = JSON.parse(readFileSync(kubeconfigWith({ token: 'never' }), 'utf8'));
    const clusters = write('clusters', JSON.stringify({ clusters: whole.clusters }));
    const users = write('parts/users', JSON.stringify({ users: [{ name: 'u', user: { tokenFile: 'token' } }] }));
    const contexts = write('contexts', JSON.stringify({ contexts: whole.contexts, 'current-context': 'x' }));
    await expect(clientOf([clusters, users, contexts].join(delimiter)).whoAmI()).resolves.toBe(robot);
  });
});

describe('a kubeconfig is refused at once', () => {
  const secret = 'canary-4b1d';
  it.each<[string, object | undefined, object, string]>([
    [
      'an auth-provider',
      { 'auth-provider': { name: 'oidc', config: { 'id-token': secret } } },
      {},
      'auth-provider oidc',
    ],
    ['an exec plugin that needs a person', exec('true', { interactiveMode: 'Always' }), {}, 'interactiveMode Always'],
    [
      'an exec plugin of an old version',
      exec('true', { apiVersion: 'client.authentication.k8s.io/v1alpha1' }),
      {},
      'v1alpha1',
    ],
    ['an exec plugin without a command', exec(''), {}, 'exec has no command'],
    ['a certificate without a key', { 'client-certificate': 'x' }, {}, 'client-certificate has no client-key'],
    ['a key without a certificate', { 'client-key-data': secret }, {}, 'client-key has no client-certificate'],
    ['what nobody knows', { tokenfile: 'x', bearer: secret }, {}, 'nothing that it has (tokenfile, bearer)'],
    ['a proxy of another kind', { token: secret }, { 'proxy-url': 'ftp://proxy' }, 'proxy-url ftp: is not supported'],
    ['a server that is no URL', { token: secret }, { server: 'nowhere' }, 'is no URL: nowhere'],
    ['a user that is not there', undefined, {}, 'there is no user u'],
  ])('for %s', (_, user, cluster, words) => {
    const kubeconfig = kubeconfigWith(user, cluster);
    expect(() => createKube({ kubeconfig })).toThrow(words);
    expect(() => createKube({ kubeconfig })).not.toThrow(secret);
  });

  it.each<[string, string, string]>([
    ['is no YAML', `users: [{name: u, user: {token: ${secret}}\nx: y: z`, 'cannot be read'],
    ['has a user without a name', `users: [{user: {token: ${secret}}}]`, 'users[0].name is missing'],
    ['is empty', '', 'there is no cluster'],
  ])('when it %s, without quoting it', (_, text, words) => {
    const kubeconfig = write('bad', text);
    expect(() => createKube({ kubeconfig })).toThrow(words);
    expect(() => createKube({ kubeconfig })).not.toThrow(secret);
  });

  it('when it is absent', () => {
    expect(() => createKube({ kubeconfig: '/absent/kubeconfig' })).toThrow('/absent/kubeconfig cannot be read: ENOENT');
  });
});

describe('an exec plugin that fails', () => {
  it.each<[string, string, string]>([
    ['ends with an error', '#!/bin/sh\necho canary-4b1d; exit 3', 'ended with 3'],
    ['prints no JSON', '#!/bin/sh\necho canary-4b1d', 'printed no JSON'],
    ['prints nothing of use', '#!/bin/sh\necho \'{"status": {}}\'', 'neither a token nor a certificate'],
  ])('is named, and what it prints is not told: one that %s', async (_, script, words) => {
    const command = write('failing', script, 0o700);
    const failure = await whoIs(exec(command)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ reason: 'ConnectFailed', message: expect.stringContaining(words) });
    expect(String(failure)).not.toContain('canary');
  });

  it('or is not there, is named', async () => {
    await expect(whoIs(exec('/absent/plugin'))).rejects.toThrow('/absent/plugin of the kubeconfig could not be run');
  });
});
