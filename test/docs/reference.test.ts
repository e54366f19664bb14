import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { actionKinds, actionNames } from '../../src/api/target-app/actions.ts';
import { failureClasses } from '../../src/domain/failure.ts';
import { conditions } from '../../src/domain/target-app/trigger-conditions.ts';
import { templateVariableNames } from '../../src/domain/template.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

/** The first column of every table row of a text. */
const listed = (text: string) => [...text.matchAll(/^\| \[?`(\w+)`/gm)].map(([, word = '']) => word);
/** The section of that heading. */
const section = (text: string, title: string) =>
  text.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
/** PascalCase words that a text has in backticks. */
const reasonsIn = (text: string) =>
  [...text.matchAll(/`([A-Z][A-Za-z]*[a-z][A-Za-z]*)`/g)].map(([, word = '']) => word);
/** PascalCase literals of source code. */
const literalsIn = (source: string) =>
  [...source.matchAll(/'([A-Z][A-Za-z]*[a-z][A-Za-z]*)'/g)].map(([, word = '']) => word);

const sources = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => read(join(folder, file)));

describe('docs/events.md', () => {
  const page = read('docs/events.md');
  const union = read('src/domain/target-app/event-reasons.ts').match(/export type EventReason =([^;]*);/)?.[1] ?? '';

  it('lists every reason of an Event, and no other', () => {
    const [events = '', failures = ''] = page.split('## Failures of a poll');
    expect(listed(events)).toEqual(literalsIn(union));
    expect(listed(failures)).toEqual([...failureClasses]);
  });
});

describe('docs/triggers.md', () => {
  const page = read('docs/triggers.md');

  it('lists every condition with its kind', () => {
    const rows = [...section(page, 'Conditions').matchAll(/^\| `(\w+)` \| (\w+) \|/gm)].map(([, name, kind]) => [
      name,
      kind,
    ]);
    expect(rows).toEqual(Object.entries(conditions).map(([name, { kind }]) => [name, kind]));
  });

  it('lists everything that keeps a rule from firing', () => {
    const union = read('src/domain/target-app/memory.ts').match(/export type HeldBackReason =([^;]*);/)?.[1] ?? '';
    expect(listed(section(page, 'What keeps a rule from firing'))).toEqual(literalsIn(union));
  });
});

describe('docs/actions.md', () => {
  const page = read('docs/actions.md');
  /** Kinds and the like, which are no reasons. */
  const otherWords = ['Deployment', 'Namespace', 'Node', 'Secret', 'ServiceAccount', 'StatefulSet'];

  it('has a promise and a section for every action', () => {
    expect(listed(page.split('## exec_command')[0] ?? '')).toEqual(actionNames);
    for (const name of actionNames) expect(section(page, name)).toContain('Reasons: ');
  });

  it.each(actionNames)('lists the parameters of %s', (name) => {
    const rows = section(page, name).matchAll(/^\| (`\w+`(?:, `\w+`)*) \|/gm);
    const documented = [...rows].flatMap(([, cell = '']) => cell.replaceAll('`', '').split(', '));
    expect(documented.sort()).toEqual(Object.keys(actionKinds[name].parameters.shape).sort());
  });

  it.each(actionNames)('lists every reason that %s gives', (name) => {
    const source = read(`src/activities/target-app/actions/${name.replaceAll('_', '-')}.ts`);
    const documented = new Set([...reasonsIn(section(page, name)), ...listed(section(page, 'Reasons that all share'))]);
    const given = literalsIn(source).filter((word) => !otherWords.includes(word));
    expect(given.filter((word) => !documented.has(word))).toEqual([]);
  });

  it('lists no reason that nobody gives', () => {
    const given = new Set(
      ['src/activities', 'src/workflows', 'src/clients', 'src/domain'].flatMap((folder) =>
        sources(folder).flatMap(literalsIn),
      ),
    );
    const reasons = actionNames.flatMap((name) => reasonsIn(section(page, name).split('Reasons: ')[1] ?? ''));
    const shared = listed(section(page, 'Reasons that all share'));
    expect([...reasons, ...shared].filter((word) => !given.has(word) && word !== 'HTTPStatus')).toEqual([]);
  });

  it('lists every template variable', () => {
    const variables = [...page.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name);
    expect([...new Set(variables)].sort()).toEqual([...templateVariableNames].sort());
  });
});

describe('the documents', () => {
  const pages = [
    'README.md',
    'CONTRIBUTING.md',
    ...readdirSync(join(root, 'docs'))
      .filter((file) => file.endsWith('.md'))
      .map((file) => `docs/${file}`),
  ];

  it.each(pages)('%s links to nothing that is not there', (page) => {
    const targets = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target = '']) =>
      join(root, page, '..', target),
    );
    expect(targets.filter((target) => !existsSync(target))).toEqual([]);
  });
});
