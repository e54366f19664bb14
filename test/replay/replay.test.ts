import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bundleWorkflowCode, DefaultLogger, Worker, type WorkflowBundle } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { createFakeActivities, planWith } from '../support/fake-activities.ts';
import { scenarios } from '../support/scenarios.ts';
import { History, installQuietRuntime, workflowBundle } from '../support/workflow-env.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const directory = join(root, 'test/replay/histories');

/** By `<version>/<scenario>`. */
const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
const recorded = files.map((file) => ({
  workflowId: file.replace('.json', ''),
  history: History.fromObject(JSON.parse(readFileSync(join(directory, file), 'utf8'))),
}));

const { sinks } = createFakeActivities(planWith());

const scenarioOf = (workflowId: string): string => basename(workflowId).replace(/-run-\d+$/, '');

/** The histories whose replay fails under a bundle, and with what. */
async function failures(bundle: WorkflowBundle): Promise<Map<string, unknown>> {
  const failed = new Map<string, unknown>();
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle, sinks }, recorded))
    if (error !== undefined) failed.set(workflowId, error);
  return failed;
}

let copies: string;
beforeAll(() => {
  installQuietRuntime();
  copies = mkdtempSync(join(tmpdir(), 'kco-replay-'));
  symlinkSync(join(root, 'node_modules'), join(copies, 'node_modules'));
});
afterAll(() => rmSync(copies, { recursive: true, force: true }));

/** Bundles a copy of the workflows in which one thing is different. */
async function changed(name: string, file: string, from: string, to: string): Promise<WorkflowBundle> {
  const copy = join(copies, name);
  for (const folder of ['domain', 'workflows'])
    cpSync(join(root, 'src', folder), join(copy, 'src', folder), { recursive: true });
  const path = join(copy, 'src/workflows', file);
  const source = readFileSync(path, 'utf8');
  if (!source.includes(from)) throw new Error(`${file} has no ${from} any more: change this test with it`);
  writeFileSync(path, source.replace(from, to));
  return bundleWorkflowCode({
    workflowsPath: join(copy, 'src/workflows/index.ts'),
    logger: new DefaultLogger('ERROR'),
  });
}

describe('workflows that were begun by an earlier version', () => {
  it('are recorded for each scenario', () => {
    expect(new Set(recorded.map(({ workflowId }) => scenarioOf(workflowId)))).toEqual(new Set(Object.keys(scenarios)));
    expect(files.filter((file) => file.endsWith('continue-as-new-run-2.json'))).not.toEqual([]);
  });

  it('go on under this one', async () => {
    expect(await failures(await workflowBundle())).toEqual(new Map());
  });
});

describe('a change that running workflows could not follow fails the replay', () => {
  it.each([
    {
      change: 'an extra timer',
      file: 'resource-workflow.ts',
      from: 'handleMessages(run);\n',
      to: 'handleMessages(run);\n  await condition(() => false, 5);\n',
    },
    {
      change: 'another order of activities',
      file: 'report.ts',
      from: "['status', 'events', 'refused']",
      to: "['events', 'status', 'refused']",
    },
    {
      change: 'another id of an action',
      file: 'target-app/activities.ts',
      from: 'activityId: request.id,',
      to: 'activityId: request.rule,',
    },
  ])(
    '$change',
    async ({ change, file, from, to }) => {
      const failed = await failures(await changed(change.replaceAll(' ', '-'), file, from, to));
      expect(failed.size).toBeGreaterThan(3);
      for (const error of failed.values()) expect(error).toBeInstanceOf(DeterminismViolationError);
    },
    120_000,
  );
});
