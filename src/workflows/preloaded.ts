import './index.ts';

// What is loaded once for all workflows of a worker, and not for each of them again: modules here keep nothing of one workflow.

// The SDK notes where each promise came into being, for the call stack that the Web UI shows on demand. Each frame costs every
// workflow task, so the two frames that name the place have to do.
Error.stackTraceLimit = 2;
