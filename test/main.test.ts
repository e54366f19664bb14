import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

describe('a process of the operator', () => {
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
