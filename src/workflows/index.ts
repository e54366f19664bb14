// The entry of the workflow bundle: one workflow type per kind.
export { targetApp } from './target-app/target-app.ts';
