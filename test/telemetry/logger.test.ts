import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { Logger } from '@temporalio/common';
import fc from 'fast-check';
import { namesOfWorkflow } from '../../src/api/workflow-id.ts';
import { correlationId, createLog, type LogLevel, logKeys, temporalLogger } from '../../src/telemetry/logger.ts';
import { createRedactor } from '../../src/telemetry/redactor.ts';
import { computingMs } from '../support/computing.ts';

const logAt = (level: LogLevel) => {
  const written: string[] = [];
  const redactor = createRedactor();
  const log = createLog({
    level,
    operator: 'kco',
    destination: { write: (line) => void written.push(line) },
    redactor,
  });
  return { log, redactor, written, lines: () => written.map((line) => JSON.parse(line)) };
};

describe('a line', () => {
  it('is one JSON object with exactly the documented columns', () => {
    const { log, written, lines } = logAt('INFO');
    log.info('state changed', {
      namespace: 'shop',
      tapp: 'orders',
      action: 'restart_pod',
      old_state: { health: 'ok' },
      new_state: { health: 'unhealthy' },
      correlation_id: correlationId('run-1', 7),
    });
    expect(written[0]).toMatch(/^\{.*\}\n$/);
    expect(Object.keys(lines()[0]).sort()).toEqual([...logKeys].sort());
    expect(lines()[0]).toMatchObject({
      level: 'INFO',
      operator: 'kco',
      namespace: 'shop',
      tapp: 'orders',
      old_state: { health: 'ok' },
      correlation_id: 'run-1/7',
      msg: 'state changed',
    });
    expect(new Date(lines()[0].timestamp).toISOString()).toBe(lines()[0].timestamp);
  });

  it('has the columns that do not apply as null', () => {
    const { log, lines } = logAt('INFO');
    log.info('started', { old_state: undefined });
    expect(Object.keys(lines()[0]).sort()).toEqual([...logKeys].sort());
    expect(lines()[0]).toMatchObject({
      namespace: null,
      tapp: null,
      action: null,
      old_state: null,
      new_state: null,
      correlation_id: null,
    });
  });

  it('carries the facts bound to its log, and later ones win', () => {
    const { log, lines } = logAt('INFO');
    log.with({ namespace: 'shop', tapp: 'orders' }).with({ tapp: 'carts' }).warning('late', { lag_seconds: 2 });
    expect(lines()[0]).toMatchObject({ level: 'WARNING', namespace: 'shop', tapp: 'carts', lag_seconds: 2 });
  });

  it('has no key twice, whatever the facts are called', () => {
    const { log, written, lines } = logAt('INFO');
    log.info('real', { msg: 'other', level: 'x', operator: 'y', timestamp: 'z' });
    expect(lines()[0]).toMatchObject({
      msg: 'real',
      level: 'INFO',
      operator: 'kco',
      fact_msg: 'other',
      fact_level: 'x',
    });
    expect(written[0]?.match(/"(msg|level|operator|timestamp)":/g)).toHaveLength(4);
  });

  it('says what an error says, with its causes and without what hangs on it', () => {
    const { log, lines } = logAt('INFO');
    const error = Object.assign(new Error('outer', { cause: new TypeError('inner') }), {
      response: { body: 'private' },
    });
    log.error('failed', { error });
    expect(lines()[0].error).toMatchObject({
      name: 'Error',
      message: 'outer',
      cause: { name: 'TypeError', message: 'inner' },
    });
    expect(JSON.stringify(lines()[0])).not.toContain('private');
  });

  it('survives a value that contains itself, and cuts what is too long', () => {
    const { log, lines } = logAt('INFO');
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    log.info('odd', { loop, long: 'x'.repeat(10_000), big: 1n });
    expect(lines()[0].long).toHaveLength(4_097);
    expect(lines()[0].big).toBe('1');
  });
});

describe('the level', () => {
  it.each<[LogLevel, LogLevel[]]>([
    ['DEBUG', ['DEBUG', 'INFO', 'WARNING', 'ERROR']],
    ['INFO', ['INFO', 'WARNING', 'ERROR']],
    ['WARNING', ['WARNING', 'ERROR']],
    ['ERROR', ['ERROR']],
  ])('%s lets through %j', (level, expected) => {
    const { log, lines } = logAt(level);
    log.debug('m');
    log.info('m');
    log.warning('m');
    log.error('m');
    expect(lines().map((line) => line.level)).toEqual(expected);
  });
});

describe('a secret', () => {
  it.each([
    [{ headers: { 'X-Team': 'canary-1' } }],
    [{ request: { headers: [{ name: 'Authorization', value: 'canary-1' }] } }],
    [{ Authorization: 'Bearer canary-1' }],
    [{ deep: { list: [{ password: 'canary-1' }] } }],
    [{ apiKey: 'canary-1' }],
    [{ 'api-key': 'canary-1', access_token: 'canary-1', set_cookie: ['canary-1'] }],
    [{ token: { nested: { value: 'canary-1' } } }],
  ])('is not written when it stands in %j', (facts) => {
    const { log, written } = logAt('INFO');
    log.info('m', facts);
    expect(written.join()).not.toContain('canary-1');
    expect(written.join()).toContain('[redacted]');
  });

  it.each([
    ['as it is', 'pa$$ "word"/1', (secret: string) => secret],
    ['in base64', 'pa$$ "word"/1', (secret: string) => Buffer.from(secret).toString('base64')],
    ['URL-encoded', 'pa$$ "word"/1', encodeURIComponent],
    ['JSON-escaped', 'pa$$ "word"/1', (secret: string) => JSON.stringify(secret).slice(1, -1)],
  ])('that is known is replaced anywhere, %s', (_, secret, spelt) => {
    const { log, redactor, lines } = logAt('INFO');
    redactor.add(secret);
    const said = `before ${spelt(secret)} after`;
    log.info(said, { url: said, error: new Error(said), old_state: { [said]: said } });
    const [line] = lines();
    expect(line.msg).toMatch(/^before \[redacted\](==?)? after$/);
    expect(line.url).toBe(line.msg);
    expect(line.error.message).toBe(line.msg);
    expect(line.old_state).toEqual({ [line.msg]: line.msg });
    expect(JSON.stringify(line)).not.toContain(spelt(secret));
  });

  it('that begins like another is replaced whole', () => {
    const { redactor } = logAt('INFO');
    redactor.add('secret');
    redactor.add('secret-longer');
    expect(redactor.text('a secret-longer b secret c')).toBe('a [redacted] b [redacted] c');
  });

  it('is looked for no further than what is written', () => {
    const { redactor } = logAt('INFO');
    redactor.add('secret');
    let written = '';
    const ms = computingMs(() => {
      written = String(redactor.value(`${'secret '.repeat(900)}${'x'.repeat(30_000_000)}`));
    });
    expect(ms).toBeLessThan(1_000);
    expect(written).toHaveLength(4_097);
    expect(written).not.toContain('secret');
  });

  it('that is a number is replaced too', () => {
    const { redactor } = logAt('INFO');
    redactor.add('4711');
    expect(redactor.value({ pin: 4711, port: 8080 })).toEqual({ pin: '[redacted]', port: 8080 });
  });

  it('that is forgotten for newer ones does not take its spellings from those', () => {
    const redactor = createRedactor();
    const shared = Buffer.from('first-secret').toString('base64');
    redactor.add('first-secret');
    redactor.add(shared);
    for (let n = 0; n < 19_999; n++) redactor.add(`filler-${n}-`);
    expect(redactor.text(`first-secret ${shared}`)).toBe('first-secret [redacted]');
  });

  it('of any kind survives in no value of any shape', () => {
    const secrets = fc.string({ minLength: 6, maxLength: 40 }).filter((text) => !'[redacted]…'.includes(text));
    fc.assert(
      fc.property(secrets, fc.jsonValue({ maxDepth: 4 }), fc.string(), fc.string(), (secret, shape, before, after) => {
        const redactor = createRedactor();
        redactor.add(secret);
        const said = `${before}${secret}${after}`;
        const told = JSON.stringify(redactor.value({ [said]: said, list: [shape, said], error: new Error(said) }));
        expect(told).not.toContain(JSON.stringify(secret).slice(1, -1));
      }),
    );
  });

  it('that is a letter or two is no reason to ruin every sentence', () => {
    const { redactor } = logAt('INFO');
    redactor.add('a');
    redactor.add('');
    expect(redactor.text('a cat')).toBe('a cat');
  });
});

describe('what Temporal logs', () => {
  it('comes in our columns and words', () => {
    const { log, lines } = logAt('DEBUG');
    const logger: Logger = temporalLogger(log, namesOfWorkflow);
    logger.warn('Activity failed', {
      namespace: 'default',
      workflowId: 'targetapp/shop/orders/uid-1',
      runId: 'run-1',
      activityType: 'observe',
      sdkComponent: 'worker',
    });
    expect(lines()[0]).toMatchObject({
      level: 'WARNING',
      namespace: 'shop',
      tapp: 'orders',
      correlation_id: 'run-1',
      temporal_namespace: 'default',
      workflow_id: 'targetapp/shop/orders/uid-1',
      activity_type: 'observe',
      msg: 'Activity failed',
    });
  });

  it.each([
    ['TRACE', 'DEBUG'],
    ['DEBUG', 'DEBUG'],
    ['INFO', 'INFO'],
    ['WARN', 'WARNING'],
    ['ERROR', 'ERROR'],
  ] as const)('at %s is %s here', (theirs, ours) => {
    const { log, lines } = logAt('DEBUG');
    temporalLogger(log, namesOfWorkflow).log(theirs, 'm');
    expect(lines()[0].level).toBe(ours);
  });
});

describe('docs/observability.md', () => {
  it('names every key of a line, and none that does not exist', () => {
    const [, section] = readFileSync('docs/observability.md', 'utf8').split(/^## (?:Logs|Health)$/m);
    expect(section?.match(/(?<=^\| `)\w+/gm)).toEqual([...logKeys]);
  });
});
