/**
 * Events after which a run of a workflow hands on to the next when nothing is under way: some twenty changes of a TargetApp. A worker
 * that does not have the run in memory replays all of it, 3 ms a change, and one that has it keeps 20 KiB of each.
 */
export const eventsPerRun = 250;
