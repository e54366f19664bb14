import { createServer } from 'node:net';

/**
 * Ports below the ranges from which Linux and macOS take the local ports of outgoing connections: a server that is
 * restarted must find its port still free, however many clients reconnect in the meantime.
 */
const lowest = 12_000;
const highest = 32_000;

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}

/** Finds `count` different free TCP ports of 127.0.0.1, chosen at random so that runs side by side rarely meet. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}
