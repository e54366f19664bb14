import { describe, expect, it } from '@jest/globals';
import { isSelected, type LabelSelector } from '../../src/domain/selector.ts';

const labels = { app: 'web', tier: 'front', empty: '' };
const expression = (key: string, operator: string, values?: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, ...(values && { values }) }],
});

describe('isSelected', () => {
  it.each<[string, LabelSelector, boolean]>([
    ['an empty selector', {}, false],
    ['an empty selector, spelled out', { matchLabels: {}, matchExpressions: [] }, false],
    ['labels that are there', { matchLabels: { app: 'web', tier: 'front' } }, true],
    ['a label of another value', { matchLabels: { app: 'web', tier: 'back' } }, false],
    ['a label that is not there', { matchLabels: { zone: '' } }, false],
    ['an empty value', { matchLabels: { empty: '' } }, true],
    ['In', expression('app', 'In', ['db', 'web']), true],
    ['In, of other values', expression('app', 'In', ['db']), false],
    ['In, of an absent label', expression('zone', 'In', ['']), false],
    ['NotIn', expression('app', 'NotIn', ['db']), true],
    ['NotIn, of its value', expression('app', 'NotIn', ['web']), false],
    ['NotIn, of an absent label', expression('zone', 'NotIn', ['a']), true],
    ['Exists', expression('empty', 'Exists'), true],
    ['Exists, of an absent label', expression('zone', 'Exists'), false],
    ['Exists, of what objects inherit', expression('constructor', 'Exists'), false],
    ['DoesNotExist', expression('zone', 'DoesNotExist'), true],
    ['DoesNotExist, of a label', expression('app', 'DoesNotExist'), false],
    ['an operator that does not exist', expression('app', 'Gt', ['1']), false],
    ['both parts, when both hold', { matchLabels: { app: 'web' }, ...expression('tier', 'Exists') }, true],
    ['both parts, when one does not', { matchLabels: { app: 'web' }, ...expression('zone', 'Exists') }, false],
  ])('judges %s', (_, selector, selected) => {
    expect(isSelected(selector, labels)).toBe(selected);
  });
});
