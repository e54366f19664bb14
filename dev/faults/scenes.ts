import type { Figure } from './figures.ts';
import { sick, silence } from './neighbour-scenes.ts';
import { kill, killAlone, stop, stopAlone, terminate, upgrade } from './replica-scenes.ts';
import type { Stage } from './stage.ts';

/** What is done to a fleet, by name, in this order. */
export const scenes: Readonly<Record<string, (stage: Stage) => Promise<Figure[]>>> = {
  'half-ill': sick,
  'silent-receiver': silence,
  upgrade,
  'sigterm-of-two': terminate,
  'sigkill-of-two': kill,
  'sigkill-alone': killAlone('another pod'),
  'sigkill-restart': killAlone('the same pod'),
  'sigstop-of-two': stop,
  'sigstop-alone': stopAlone,
};
