import { describe, expect, it } from '@jest/globals';
import type { CompiledSpec } from '../../../src/domain/target-app/compiled-spec.ts';
import { detailsOf } from '../../../src/domain/target-app/details.ts';
import { newMemory } from '../../../src/domain/target-app/memory.ts';
import { aPlan, at } from '../../support/domain.ts';

const problem = { field: 'spec.query', message: 'is empty' };

describe('the details in the Web UI', () => {
  it.each<[string, Partial<CompiledSpec>, boolean]>([
    ['is polled', {}, true],
    ['is suspended', { suspend: true }, false],
    ['is suspended for a while', { suspendUntil: at(60) }, false],
    ['was suspended for a while', { suspendUntil: at(-60) }, true],
    ['has a spec to mend', { problems: [problem] }, false],
  ])('tell the next poll only of one that is polled: of one that %s', (_, replaced, isTold) => {
    const details = detailsOf({ ...newMemory(), plan: aPlan(replaced) }, at(0), 'u');
    expect(/Next poll \d{4}-/.test(details)).toBe(isTold);
  });
});
