import { EventEmitter, on } from 'node:events';

/** What one instance of the sample application says about itself. */
export interface AppState {
  status: string;
  health: string;
  pendingTasks: number;
  lastError: string | null;
  version: string;
  peers: number;
  height: number;
  nodes: { name: string; status: string }[];
}

/** What an instance says when it has just started. */
export const freshState = (): AppState => ({
  status: 'running',
  health: 'healthy',
  pendingTasks: 0,
  lastError: null,
  version: '1.0.0',
  peers: 8,
  height: 1000,
  nodes: [
    { name: 'alpha', status: 'up' },
    { name: 'beta', status: 'up' },
  ],
});

/** Instances by address; each starts fresh when it is first asked. */
export interface Fleet {
  stateOf(address: string): AppState;
  /** `*`: all instances that are known, and those to come. */
  setState(address: string, change: Partial<AppState>): void;
  /** The instance is gone; the next one at this address starts fresh. */
  forget(address: string): void;
  /** Says that an instance says something else now, whoever made it. */
  changed(address: string): void;
  /** Yields whenever the instance says something else, until the signal aborts. */
  changesOf(address: string, signal: AbortSignal): AsyncGenerator<void>;
}

/** An empty fleet. With `single`, every address is the same instance: one process that is one pod. */
export const createFleet = (single: boolean): Fleet => {
  const states = new Map<string, AppState>();
  let forAll: Partial<AppState> = {};
  const key = (address: string): string => (single ? 'self' : address);
  const changes = new EventEmitter().setMaxListeners(0);
  const stateOf = (address: string): AppState => {
    const known = states.get(key(address)) ?? { ...freshState(), ...forAll };
    states.set(key(address), known);
    return known;
  };
  return {
    stateOf,
    setState(address, change) {
      if (address !== '*') Object.assign(stateOf(address), change);
      else {
        forAll = { ...forAll, ...change };
        for (const state of states.values()) Object.assign(state, change);
      }
      for (const each of address === '*' ? states.keys() : [key(address)]) changes.emit(each);
    },
    forget: (address) => void states.delete(key(address)),
    changed: (address) => void changes.emit(key(address)),
    async *changesOf(address, signal) {
      stateOf(address);
      try {
        for await (const _ of on(changes, key(address), { signal })) yield;
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
};
