import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { actionKinds, actionNames } from '../../src/api/target-app/actions.ts';
import { failureClasses } from '../../src/domain/failure.ts';
import { conditions as statusConditions } from '../../src/domain/target-app/status-conditions.ts';
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
    const documented = new Set([...reasonsIn(section(page, name)), ...listed(section(page, 'Shared reasons'))]);
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
    const shared = listed(section(page, 'Shared reasons'));
    expect([...reasons, ...shared].filter((word) => !given.has(word) && word !== 'HTTPStatus')).toEqual([]);
  });

  it('lists every template variable', () => {
    const variables = [...page.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name);
    expect([...new Set(variables)].sort()).toEqual([...templateVariableNames].sort());
  });
});

describe('docs/spec/targetapp.md', () => {
  interface Schema {
    type?: string;
    properties?: Record<string, Schema>;
    items?: Schema;
    required?: string[];
    default?: unknown;
    'x-kubernetes-int-or-string'?: boolean;
  }
  interface Field {
    path: string;
    type: string;
    isRequired: boolean;
    fallback: unknown;
  }
  const page = read('docs/spec/targetapp.md');
  const crd = parse(read('crds/operator.kco.local_targetapps.yaml'));
  const { spec, status }: Record<string, Schema> = crd.spec.versions[0].schema.openAPIV3Schema.properties;

  const typeOf = (schema: Schema) => (schema['x-kubernetes-int-or-string'] ? 'int or string' : (schema.type ?? 'any'));
  /** Every field below a schema. Parameters of actions are described, and checked, in docs/actions.md. */
  const fieldsOf = (schema: Schema | undefined, at: string): Field[] => {
    if (schema?.items) return fieldsOf(schema.items, `${at}[]`);
    return Object.entries(schema?.properties ?? {}).flatMap(([name, field]) => {
      const path = `${at}.${name}`;
      const isRequired = schema?.required?.includes(name) ?? false;
      const own = { path, type: typeOf(field), isRequired, fallback: field.default };
      return name === 'parameters' ? [own] : [own, ...fieldsOf(field, path)];
    });
  };
  const rows = [...page.matchAll(/^\| `((?:spec|status)\.[^`]+)` \| *([^|]*?) *\| *([^|]*?) *\|/gm)].map(
    ([, path = '', type = '', third = '']) => ({ path, type, third }),
  );
  const row = (path: string) => rows.find((candidate) => candidate.path === path);
  const ofSpec = fieldsOf(spec, 'spec');
  const fields = [...ofSpec, ...fieldsOf(status, 'status')];
  const paths = (list: { path: string }[]) => list.map(({ path }) => path).sort();

  it('lists every field of the CRD once, and no other', () => {
    expect(paths(rows)).toEqual(paths(fields));
  });

  it('names the type of every field', () => {
    const wrong = fields.filter(({ path, type }) => row(path)?.type.replace('duration', 'string') !== type);
    expect(wrong).toEqual([]);
  });

  it('says which fields are required, and which default the API server sets', () => {
    const wrong = ofSpec.filter(({ path, isRequired, fallback }) => {
      const said = row(path)?.third ?? '';
      const isSaid = fallback === undefined || typeof fallback === 'object' || said.includes(String(fallback));
      return (said === 'required') !== (isRequired && fallback === undefined) || !isSaid;
    });
    expect(wrong).toEqual([]);
  });

  it('lists every condition of the status', () => {
    expect(listed(page.split('### Conditions')[1] ?? '')).toEqual(Object.keys(statusConditions));
  });
});

describe('the log lines of docs/observability.md', () => {
  /** A template literal matches whatever fills it. */
  const patternOf = (literal: string) =>
    new RegExp(`^${literal.replace(/[.*+?^()|[\]\\]/g, '\\$&').replace(/\$\{[^}]*\}/g, '\\w+')}$`);
  const levels: Record<string, string> = { debug: 'DEBUG', info: 'INFO', warning: 'WARNING', error: 'ERROR' };
  const given = sources('src').flatMap((source) =>
    [...source.matchAll(/log\.(debug|info|warning|error)\(([^;]*?)(?:, \{|\))/g)].flatMap(
      ([, level = '', argument = '']) =>
        [...argument.matchAll(/(['`])([^'`]+)\1/g)].map(([, , text = '']) => ({ level: levels[level], text })),
    ),
  );
  const rows = [...read('docs/observability.md').matchAll(/^\| ([A-Z, ]+) \| `([^`]+)` \|/gm)].flatMap(
    ([, told = '', text = '']) => told.split(', ').map((level) => ({ level, text })),
  );

  it('are those that the source writes', () => {
    const isIn = (list: { level?: string; text: string }[], { level, text }: { level?: string; text: string }) =>
      list.some(
        (other) => other.level === level && (patternOf(other.text).test(text) || patternOf(text).test(other.text)),
      );
    expect(given.length).toBeGreaterThan(0);
    expect(given.filter((line) => !isIn(rows, line))).toEqual([]);
    expect(rows.filter((line) => !isIn(given, line))).toEqual([]);
  });
});

describe('the documents', () => {
  const inFolder = (folder: string): string[] =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .map((file) => `${folder}/${file}`)
      .sort();
  const pages = [
    'README.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'SECURITY.md',
    'charts/kco-operator/README.md',
    ...inFolder('docs'),
  ];

  const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, '');
  /** The anchor that a heading gets. */
  const anchorOf = (heading: string) =>
    heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
  const anchorsOf = (page: string) =>
    [...withoutCode(read(page)).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
  const linksOf = (page: string) =>
    [...withoutCode(read(page)).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].map(([, target = '', anchor]) => ({
      target: target === '' ? page : join(page, '..', target),
      anchor,
    }));

  it.each(pages)('%s links to nothing that is not there', (page) => {
    const broken = linksOf(page).filter(
      ({ target, anchor }) =>
        !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor)),
    );
    expect(broken).toEqual([]);
  });

  // The recipes of CONTRIBUTING.md name files that they make, the changelog files of its time.
  it.each(pages.filter((page) => !['CONTRIBUTING.md', 'CHANGELOG.md'].includes(page)))(
    '%s names no file of the repository that is not there',
    (page) => {
      const named = [
        ...read(page).matchAll(/`((?:\.\/)?(?:src|dev|test|bench|docs|charts|examples|crds)\/[\w./-]*)`/g),
      ];
      const missing = named.map(([, path = '']) => path).filter((path) => !existsSync(join(root, path)));
      expect(missing).toEqual([]);
    },
  );

  it('are all in the index', () => {
    const indexed = linksOf('docs/README.md').map(({ target }) => target);
    const decisions = (page: string) => page.startsWith('docs/adr/0');
    const missing = inFolder('docs').filter((page) => page !== 'docs/README.md' && !decisions(page));
    expect(missing.filter((page) => !indexed.includes(page))).toEqual([]);
  });
});
