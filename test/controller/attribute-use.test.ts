import { describe, expect, it, jest } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { createWorkflowStarter, type ResourceWorkflow } from '../../src/clients/temporal/workflow-starter.ts';
import { createAttributeUse } from '../../src/controller/attribute-use.ts';
import { attributesOf, standingOf } from '../../src/workflows/search-attributes.ts';

const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warning: quiet, error: quiet, with: () => log };
const names = ['KcoPhase', 'KcoReady', 'KcoNamespace', 'KcoName', 'KcoKind'];

const app = { namespace: 'shop', name: 'orders', uid: 'u-1' };
const workflow = (workflowId: string): ResourceWorkflow => ({
  type: 'targetApp',
  workflowId,
  input: { app },
  summary: 'orders',
  attributes: [...standingOf('Initializing', false), ...attributesOf('TargetApp', app)],
});

/** An operator service and a starter of workflows that do as they are told. */
const scripted = (options: {
  list?: () => unknown;
  add?: (name: string) => unknown;
  start?: (attributes: number) => unknown;
}) => {
  const started: { attributes: string[]; input: object }[] = [];
  const connection = {
    operatorService: {
      listSearchAttributes: async () => options.list?.() ?? { customAttributes: {} },
      addSearchAttributes: async ({ searchAttributes }: { searchAttributes: object }) =>
        options.add?.(Object.keys(searchAttributes)[0] ?? ''),
    },
  };
  const start = jest.fn(async (_: string, { args, typedSearchAttributes }) => {
    const attributes = typedSearchAttributes.getAll().map(({ key }: { key: { name: string } }) => key.name);
    options.start?.(attributes.length);
    started.push({ attributes, input: args[0] });
  });
  const client = { connection, workflow: { start } } as unknown as Client;
  return { client, started };
};
const refusal = (code: number) => Object.assign(new Error(`14 or so: ${code}`), { code });

describe('search attributes', () => {
  it('that KCO may not register are asked for with the command, and done without', async () => {
    const { client } = scripted({
      add: () => {
        throw refusal(7);
      },
    });
    const use = createAttributeUse(client, 'mine', log);
    expect(await use.look(true)).toEqual([]);
    expect(use.usable()).toEqual([]);
    expect(use.check().message).toContain(
      'temporal operator search-attribute create -n mine --name KcoPhase --type Keyword --name KcoReady --type Bool',
    );
  });

  it('of another type are named, and done without', async () => {
    const customAttributes = Object.fromEntries(names.map((name) => [name, 2]));
    const { client } = scripted({ list: () => ({ customAttributes }) });
    const use = createAttributeUse(client, 'mine', log);
    await use.look(true);
    expect(use.usable()).toEqual(names.filter((name) => name !== 'KcoReady'));
    expect(use.check().message).toContain('KcoReady in the Temporal namespace mine is not of the type Bool');
  });

  it('are not known while Temporal is away', async () => {
    const { client } = scripted({
      list: () => {
        throw refusal(14);
      },
    });
    const use = createAttributeUse(client, 'mine', log);
    await expect(use.look(true)).rejects.toMatchObject({ code: 14 });
    expect(use.usable()).toBeUndefined();
  });

  it('that nobody may ask for are given up when Temporal takes a workflow only without them', async () => {
    const { client, started } = scripted({
      list: () => {
        throw refusal(7);
      },
      start: (attributes) => {
        if (attributes > 0) throw new Error('Failed to start Workflow', { cause: refusal(3) });
      },
    });
    const use = createAttributeUse(client, 'mine', log);
    await use.look(true);
    expect(use.usable()).toBeNull();
    const starter = createWorkflowStarter(client, 'kco', use);
    await starter.start(workflow('a'));
    await starter.start(workflow('b'));
    expect(started).toEqual([
      { attributes: [], input: { app, attributes: [], sparing: true, eventsPerRun: 250 } },
      { attributes: [], input: { app, attributes: [], sparing: true, eventsPerRun: 250 } },
    ]);
    expect(client.workflow.start).toHaveBeenCalledTimes(3);
    expect(use.check()).toMatchObject({ ok: true, degraded: true });
    await use.look(false);
    expect(use.usable()).toEqual([]);
  });

  it('that are known to be there are not given up for another fault of a start', async () => {
    const customAttributes = Object.fromEntries(names.map((name) => [name, name === 'KcoReady' ? 5 : 2]));
    const { client } = scripted({
      list: () => ({ customAttributes }),
      start: () => {
        throw new Error('Failed to start Workflow', { cause: refusal(3) });
      },
    });
    const use = createAttributeUse(client, 'mine', log);
    await use.look(true);
    await expect(createWorkflowStarter(client, 'kco', use).start(workflow('a'))).rejects.toThrow('Failed to start');
    expect(use.usable()).toBeNull();
  });
});
