import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const nowhere = 'https://127.0.0.1:9';
const kubeconfig = {
  clusters: [{ name: 'nowhere', cluster: { server: nowhere } }],
  users: [{ name: 'nobody', user: {} }],
  contexts: [{ name: 'here', context: { cluster: 'nowhere', user: 'nobody' } }],
  'current-context': 'here',
};

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kco-main-'));
});
afterEach(() => rmSync(scratch, { recursive: true }));

const fileWith = (name: string, text: string): string => {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
};

/** What the operator says until it listens, with neither an API server nor Temporal. */
async function firstWords(env: Record<string, string>): Promise<string> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--no-warnings', join('src', 'main.ts')], {
    cwd: root,
    env: { PATH, HOME, KUBECONFIG: fileWith('kubeconfig', JSON.stringify(kubeconfig)), ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (line.includes('"listening"')) break;
    }
    return lines.join('\n');
  } finally {
    child.kill('SIGKILL');
  }
}

/** How it ends when it cannot begin. */
async function end(env: Record<string, string>): Promise<{ code: number | null; words: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, ['--no-warnings', join('src', 'main.ts')], {
    cwd: root,
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  const words: string[] = [];
  for await (const line of createInterface({ input: child.stderr })) words.push(line);
  const [code] = (await ended) as [number | null];
  return { code, words: words.join('\n') };
}

describe('a process of the operator', () => {
  it('that cannot sign in as its kubeconfig says ends at once, with what is wrong in a line', async () => {
    const users = [{ name: 'nobody', user: { 'auth-provider': { name: 'azure' } } }];
    const given = fileWith('kubeconfig', JSON.stringify({ ...kubeconfig, users }));
    const { code, words } = await end({ KUBECONFIG: given, KCO_LOG_LEVEL: 'ERROR' });
    expect(code).toBe(2);
    expect(words).toMatch(/^KCO cannot use the kubeconfig: auth-provider azure is not supported: use .*$/);
  });

  it('that finds its port taken ends, and says which variable to change', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const { code, words } = await end({
      KUBECONFIG: fileWith('kubeconfig', JSON.stringify(kubeconfig)),
      KCO_BIND_ADDRESS: '127.0.0.1',
      KCO_HEALTH_PORT: '0',
      KCO_METRICS_PORT: String(port),
    });
    taken.close();
    expect(code).toBe(1);
    expect(words).toContain(`cannot listen on 127.0.0.1:${port} (EADDRINUSE): change KCO_METRICS_PORT`);
  });

  it.each([
    ['the environment', (key: string) => ({ KCO_TEMPORAL_API_KEY: key })],
    ['a file', (key: string) => ({ KCO_TEMPORAL_API_KEY_FILE: fileWith('api-key', `${key}\n`) })],
  ])("keeps Temporal's API key of %s out of its log, wherever it turns up", async (_, given) => {
    const key = 'canary-api-key-71c0';
    const words = await firstWords({
      KCO_TEMPORAL_ADDRESS: '127.0.0.1:9',
      KCO_TEMPORAL_TASK_QUEUE: `queue-${key}`,
      KCO_BIND_ADDRESS: '127.0.0.1',
      KCO_HEALTH_PORT: '0',
      KCO_METRICS_PORT: '0',
      ...given(key),
    });
    expect(words).toContain('queue-[redacted]');
    expect(words).toContain('"listening"');
    expect(words).not.toContain(key);
  });
});
