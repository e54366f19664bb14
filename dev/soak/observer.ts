import { type Loop, startLoop } from '../../src/lifecycle/loop.ts';
import type { RealWorld } from '../../test/support/real-world.ts';
import type { EditLedger } from './edit-ledger.ts';
import type { FlipLedger } from './flip-ledger.ts';

const everyMs = 200;
const wordIn = /^application\.status changed from \S+ to "?([a-z]+)"?/;

/** Enters into the ledgers what the API server and the receiver of webhooks have been told, and lets go of it. */
export function observe(world: RealWorld, flips: FlipLedger, edits: EditLedger): Loop {
  const { recorder, receiver } = world;
  let called = 0;
  return startLoop(async () => {
    for (const { type, object, at } of recorder.events.splice(0)) {
      const word = object.reason === 'StateChanged' ? wordIn.exec(object.message)?.[1] : undefined;
      if (type !== 'deleted' && word !== undefined) flips.told(word, object.metadata.uid ?? '', object.count, at);
    }
    for (const { object, at } of recorder.apps.splice(0))
      edits.observed(object.metadata.uid ?? '', object.status?.observedGeneration ?? 0, at);
    recorder.pods.splice(0);
    const deliveries = receiver.deliveries('/soak');
    for (const { body, headers } of deliveries.slice(called))
      flips.called((JSON.parse(body) as { status: string }).status, String(headers['idempotency-key']));
    called = deliveries.length;
    return everyMs;
  });
}
