import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Json } from '../../src/domain/json.ts';
import { maxRenderedLength, renderTemplates, templateVariables } from '../../src/domain/template.ts';

const variables = {
  tapp_name: 'my-app',
  old_value: null,
  new_value: 7,
  nested: { list: [1, 'two'] },
  sneaky: '{{tapp_name}}',
  'state.application.health': 'unhealthy',
};

describe('renderTemplates', () => {
  it.each<{ what: string; template: Json; rendered: Json }>([
    { what: 'text in text', template: 'Alert: {{tapp_name}}!', rendered: 'Alert: my-app!' },
    { what: 'spaces inside the braces', template: '{{ tapp_name }}', rendered: 'my-app' },
    { what: 'a number as the whole string', template: '{{new_value}}', rendered: 7 },
    { what: 'a null as the whole string', template: '{{old_value}}', rendered: null },
    { what: 'an object as the whole string', template: '{{nested}}', rendered: { list: [1, 'two'] } },
    { what: 'a number in text', template: 'is {{new_value}}', rendered: 'is 7' },
    { what: 'a null in text', template: 'was {{old_value}}.', rendered: 'was .' },
    { what: 'an object in text', template: 'x {{nested}}', rendered: 'x {"list":[1,"two"]}' },
    { what: 'a state path', template: 'now {{state.application.health}}', rendered: 'now unhealthy' },
    { what: 'strings at any depth', template: { a: [{ b: '{{new_value}}' }] }, rendered: { a: [{ b: 7 }] } },
    { what: 'several in one string', template: '{{tapp_name}}={{new_value}}', rendered: 'my-app=7' },
    { what: 'no keys', template: { '{{tapp_name}}': 1 }, rendered: { '{{tapp_name}}': 1 } },
    { what: 'nothing that a variable brought in', template: 'x {{sneaky}}', rendered: 'x {{tapp_name}}' },
    { what: 'nothing for a variable that is not there', template: 'a{{absent}}b', rendered: 'ab' },
    { what: 'nothing inherited', template: 'a{{constructor}}b', rendered: 'ab' },
    { what: 'no open braces', template: '{{tapp_name', rendered: '{{tapp_name' },
    { what: 'no other types', template: [1, true, null], rendered: [1, true, null] },
  ])('renders $what', ({ template, rendered }) => {
    expect(renderTemplates(template, variables)).toEqual(rendered);
  });

  it('caps what all variables together bring in', () => {
    const rendered = renderTemplates(
      Array.from({ length: 10 }, () => 'x{{big}}'),
      { big: 'y'.repeat(20_000) },
    );
    expect(JSON.stringify(rendered).length).toBeLessThan(maxRenderedLength + 100);
  });

  it('cuts a value that is too large as a whole into text', () => {
    const rendered = renderTemplates('{{big}}', { big: Array.from({ length: 20_000 }, () => 'abcd') });
    expect(rendered).toHaveLength(maxRenderedLength);
  });

  it('never cuts a character in two', () => {
    const rendered = renderTemplates('{{a}}{{b}}', { a: 'x'.repeat(maxRenderedLength - 1), b: '😀' });
    expect(String(rendered).isWellFormed()).toBe(true);
  });

  it('leaves every value without braces as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes('{{'));
        expect(renderTemplates(value as Json, {})).toEqual(value);
      }),
    );
  });
});

describe('templateVariables', () => {
  it('names each variable once, in the order of first mention', () => {
    expect(templateVariables(['{{ b }} {{a}}', { x: '{{state.c[*].d}} {{b}}' }])).toEqual(['b', 'a', 'state.c[*].d']);
  });
});
