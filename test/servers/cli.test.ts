import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

const cli = fileURLToPath(new URL('../../dev/servers/cli.ts', import.meta.url));

function start(args: string[]) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return spawn(process.execPath, [cli, ...args], { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env });
}

describe('the servers command', () => {
  it('prints where the servers are, stays, and ends in an orderly way at Ctrl-C', async () => {
    const child = start(['--part', 'temporal']);
    const closed = once(child, 'close');
    let address = '';
    for await (const line of createInterface({ input: child.stdout })) {
      address = /^Temporal +(\S+)/.exec(line)?.[1] ?? address;
      // The terminal sends the signal to the whole process group.
      if (line.startsWith('Web UI')) process.kill(-(child.pid ?? 0), 'SIGINT');
    }
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await closed).toEqual([0, null]);
    const [, port] = address.split(':');
    await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow('fetch failed');
  });

  it.each([[['--part', 'etcd']], [['--nodes', 'many']], [['--typo']]])(
    'refuses %j and shows the usage',
    async (args) => {
      const child = start(args);
      let stderr = '';
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      expect(await once(child, 'close')).toEqual([1, null]);
      expect(stderr).toContain('Usage:');
    },
  );
});
