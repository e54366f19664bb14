import { describe, expect, it } from '@jest/globals';
import { variablesOfOtherValues } from '../../dev/chart/values-schema.ts';
import { readConfig } from '../../src/config/config.ts';
import { configurationTable } from '../../src/config/variables.ts';
import { type HelmError, only, render } from './render.ts';

/** Variables of `config`, in the order of the documentation. */
const ofConfig = configurationTable().filter(({ name }) => !variablesOfOtherValues().includes(name));
/** The operator takes 0 for any free port; the chart has to declare the port of the container. */
const containerPorts = ['KCO_HEALTH_PORT', 'KCO_METRICS_PORT'];

const namesIn = (text: string): string[] => [...new Set(text.match(/KCO_\w+/g))].sort();

/** The variables that a program complains of; none when it does not. */
const complaintsOf = async (start: () => unknown): Promise<string[]> => {
  try {
    await start();
    return [];
  } catch (error) {
    return namesIn(String(error));
  }
};

const refusedByChart = (value: unknown, names: string[]): Promise<string[]> =>
  complaintsOf(() => render(Object.fromEntries(names.map((name) => [`config.${name}`, value]))));

const refusedByOperator = async (value: string, names: string[]): Promise<string[]> => {
  const complaints = names.map((name) => complaintsOf(() => readConfig({ [name]: value })));
  const refused = await Promise.all(complaints);
  // Two settings that do not fit together are another matter.
  return names.filter((name, index) => refused[index]?.length === 1 && refused[index][0] === name);
};

const isNumeric = ({ limit }: { limit: string }): boolean => limit.startsWith('a whole number');
const numeric = ofConfig.filter(isNumeric).map(({ name }) => name);
const bounds = ofConfig.filter(isNumeric).flatMap(({ limit }) => limit.match(/\d+/g) ?? []);
const around = bounds.flatMap((bound) => [Number(bound) - 1, Number(bound), Number(bound) + 1]);

describe('a value of config is refused where the operator would not start with it', () => {
  it.each(['', 'debug', 'INFO', 'kco', 'Kco_1', '::', 'localhost', 'nowhere', '10.0.0.1', '1.5', '-1', '4e3', '2026'])(
    'as the text %j',
    async (value) => {
      const names = ofConfig.map(({ name }) => name).filter((name) => !containerPorts.includes(name));
      const isNumber = (name: string): boolean => (numeric as string[]).includes(name);
      // Apart, because the templates, which know the range of a number, speak only where the schema finds nothing.
      const refused = [
        ...(await refusedByChart(value, names.filter(isNumber))),
        ...(await refusedByChart(
          value,
          names.filter((name) => !isNumber(name)),
        )),
      ];
      expect(refused.sort()).toEqual(await refusedByOperator(value, names));
    },
  );

  it.each([...new Set(around)].filter((value) => value >= 0))('as the number %d, and as its text', async (value) => {
    const refused = new Set(await refusedByOperator(String(value), numeric));
    if (value === 0) for (const name of containerPorts) refused.add(name);
    const wrong = [...refused].sort();
    // Settings that are right alone may be wrong together, of which the chart speaks only where all are right alone.
    expect(wrong.length).toBeGreaterThan(0);
    expect(await refusedByChart(value, numeric)).toEqual(wrong);
    expect(await refusedByChart(String(value), numeric)).toEqual(wrong);
  });
});

describe('two values of config that do not fit together', () => {
  it.each([
    [{ KCO_GRAPHQL_TIMEOUT: '31' }, 'config.KCO_GRAPHQL_TIMEOUT is 31, more than config.KCO_DEFAULT_POLLING_INTERVAL'],
    [{ KCO_DEFAULT_POLLING_INTERVAL: '9' }, 'which is 9: a query may not take longer'],
    [{ KCO_MAX_STATE_BYTES: '1048576', KCO_MAX_RESPONSE_BYTES: '1048575' }, 'KCO_MAX_RESPONSE_BYTES, which is 1048575'],
    [{ KCO_MAX_RESPONSE_BYTES: '65535' }, 'config.KCO_MAX_STATE_BYTES is 65536'],
    [{ KCO_METRICS_PORT: '8081' }, 'config.KCO_METRICS_PORT and config.KCO_HEALTH_PORT are both 8081'],
    [{ KCO_HEALTH_PORT: '8080' }, 'config.KCO_METRICS_PORT and config.KCO_HEALTH_PORT are both 8080'],
  ])('are refused like the operator would: %j', async (config, sentence) => {
    expect(() => readConfig(config)).toThrow('wrong setting');
    await expect(render({ config })).rejects.toThrow(sentence);
  });

  it.each([
    [{ KCO_GRAPHQL_TIMEOUT: '30' }],
    [{ KCO_GRAPHQL_TIMEOUT: '60', KCO_DEFAULT_POLLING_INTERVAL: '60' }],
    [{ KCO_DEFAULT_POLLING_INTERVAL: '10' }],
    [{ KCO_MAX_STATE_BYTES: '1048576' }],
    [{ KCO_MAX_RESPONSE_BYTES: '65536' }],
    [{ KCO_METRICS_PORT: '8081', KCO_HEALTH_PORT: '8080' }],
  ])('are taken up to where they do: %j', async (config) => {
    expect(readConfig(config).warnings).toEqual([]);
    expect(only(await render({ config }), 'ConfigMap')['data']).toMatchObject(config);
  });
});

describe('a variable that another value sets', () => {
  it.each(variablesOfOtherValues())('is refused by a sentence that says what to do instead: %s', async (name) => {
    const sentence = await render({ [`config.${name}`]: 'x' }).then(String, (error: HelmError) => error.message);
    expect(sentence).toMatch(
      new RegExp(`config\\.${name} is not taken: (.*\\bset [a-z][\\w.<>]*\\.?\\w+|the chart sets it from the pod)`),
    );
  });

  it('is set by a value that there is', async () => {
    const told = await Promise.all(
      variablesOfOtherValues().map((name) => render({ [`config.${name}`]: 'x' }).then(String, String)),
    );
    const paths = told.flatMap((text) => [...text.matchAll(/ set ([a-z][\w.]+)/g)].map(([, path = '']) => path));
    const given = paths.filter((path) => path !== 'actions.').map((path) => render({ [path]: 7 }).then(String, String));
    // A number is no value of any of them, and one that is not there at all would be an additional property.
    for (const complaint of await Promise.all(given)) {
      expect(complaint).toContain('got number');
      expect(complaint).not.toContain('additional properties');
    }
    expect(paths.length).toBeGreaterThan(14);
  });
});

describe('a number of config as a text', () => {
  it.each([
    ['KCO_MAX_RESPONSE_BYTES', '67108865', '67108865, and must be a whole number from 1024 to 67108864'],
    ['KCO_GRAPHQL_MAX_RETRIES', '21', '21, and must be a whole number from 0 to 20'],
    ['KCO_HEALTH_PORT', '0', '0, and must be a whole number from 1 to 65535'],
  ])('is refused by a sentence outside its range: %s', async (name, value, sentence) => {
    await expect(render({ [`config.${name}`]: value })).rejects.toThrow(`config.${name} is ${sentence}`);
  });

  it.each(['01', '1.0', '-1', ' 1', '1e1', '+1', '1_0', '10000000000000000'])('is not %j', async (value) => {
    await expect(render({ 'config.KCO_MAX_CONNECTION_AGE': value })).rejects.toThrow('KCO_MAX_CONNECTION_AGE');
  });
});
