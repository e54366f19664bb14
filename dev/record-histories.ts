import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { scenarios } from '../test/support/scenarios.ts';
import { type Execution, History, type RunHistory, startWorkflowEnv } from '../test/support/workflow-env.ts';

// Plays the scenarios on a real server and records their histories for test/replay, in the folder of this version. To be
// run when the workflows have changed on purpose; what earlier versions recorded stays as long as a workflow of theirs may
// run, because that is what an upgrade must be able to go on with. With names of scenarios only those are recorded:
// npm run record-histories -- action-waits

/** Low, so that a scenario comes to its next run soon. */
const suggestContinueAsNew = 90;
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const wanted = process.argv.slice(2);
const directory = fileURLToPath(new URL(`../test/replay/histories/${version}/`, import.meta.url));

/** The histories of all runs, the last one first. */
async function runsOf(execution: Execution): Promise<RunHistory[]> {
  const runs: RunHistory[] = [await execution.history()];
  for (;;) {
    const started = runs.at(-1)?.events?.[0]?.workflowExecutionStartedEventAttributes;
    if (!started?.continuedExecutionRunId) return runs;
    runs.push(await execution.history(started.continuedExecutionRunId));
  }
}

async function record(): Promise<void> {
  const env = await startWorkflowEnv({ 'limit.historyCount.suggestContinueAsNew': suggestContinueAsNew });
  try {
    if (wanted.length === 0) rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    for (const [name, play] of Object.entries(scenarios)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      const runs = (await runsOf(await play(env))).reverse();
      runs.forEach((history, i) => {
        const file = `${name}${i === 0 ? '' : `-run-${i + 1}`}.json`;
        // protobufjs' own JSON, which `History.fromObject` takes; without indentation, because only that reads it.
        const text = JSON.stringify(
          History.toObject(History.fromObject(history), { enums: String, longs: String, bytes: String }),
          // Where things lay on the machine that recorded them is nobody's business, and no part of a replay.
          (key, value) => (key === 'stackTrace' || key === 'identity' ? '' : value),
        );
        writeFileSync(`${directory}${file}`, `${text}\n`);
        console.log(`${file}: ${history.events?.length} events, ${(text.length / 1024).toFixed(1)} KiB`);
      });
    }
  } finally {
    await env.stop();
  }
}

await record();
