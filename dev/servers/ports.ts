import { createServer } from 'node:net';

/** TCP ports of 127.0.0.1: `first` and those that follow it. */
interface PortRange {
  first: number;
  count: number;
}

/**
 * All ranges lie below those from which Linux and macOS take the local ports of outgoing connections: a server that is
 * restarted must find its port still free, however many clients reconnect in the meantime.
 */
const firstClaim = 11_700;
const blockSize = 40;
const firstOfBlocks = 12_000;
/** What belongs to no set of servers. */
const others: PortRange = { first: 22_400, count: 9_600 };

/** Sets of servers that may run side by side on one machine: what each uses of loopback goes by its number, 1 to 254. */
export const maxSets = 254;

/** The port that a set listens on for as long as it lives, so that no other takes its number. */
export const claimPortOf = (set: number): number => firstClaim + set;

/** Ports that no other set uses. */
export const blockOf = (set: number): PortRange => ({ first: firstOfBlocks + set * blockSize, count: blockSize });

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  return promise;
}

/** Finds `count` different free TCP ports of 127.0.0.1; outside the blocks at random, so that runs side by side rarely meet. */
export async function freePorts(count: number, range: PortRange = others): Promise<number[]> {
  const tried = new Set<number>();
  const found: number[] = [];
  while (found.length < count) {
    if (tried.size === range.count)
      throw new Error(`only ${found.length} of ${count} ports are free from ${range.first} on`);
    const port = range.first + Math.floor(Math.random() * range.count);
    if (tried.has(port)) continue;
    tried.add(port);
    if (await isFree(port)) found.push(port);
  }
  return found;
}
