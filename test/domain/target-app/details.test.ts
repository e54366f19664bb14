import { describe, expect, it } from '@jest/globals';
import { detailsOf } from '../../../src/domain/target-app/details.ts';
import { newMemory, type Phase } from '../../../src/domain/target-app/memory.ts';
import { aPlan, at } from '../../support/domain.ts';

describe('the details in the Web UI', () => {
  it.each<[Phase, boolean]>([
    ['Failed', false],
    ['Initializing', true],
    ['Monitoring', true],
    ['Suspended', false],
  ])('tell the next poll only of a TargetApp that is polled: %s', (phase, isPolled) => {
    const details = detailsOf({ ...newMemory(), plan: aPlan(), phase }, at(0), 'u');
    expect(details).toContain(`**${phase}**`);
    expect(/Next poll \d{4}-/.test(details)).toBe(isPolled);
  });
});
