import { afterEach, describe, expect, it } from '@jest/globals';
import { HeldTurns } from '../../src/activities/held-turns.ts';
import type { Lookout } from '../../src/activities/lookouts.ts';
import type { WatchedApp } from '../../src/activities/target-app/watched-app.ts';
import type { TurnRef } from '../../src/clients/temporal/open-turns.ts';
import type { ResourceWorkflow, WorkflowStarter } from '../../src/clients/temporal/workflow-starter.ts';
import { type Controller, createController } from '../../src/controller/controller.ts';
import { registrations } from '../../src/controller/kinds/index.ts';
import type { WorkflowQueueOptions } from '../../src/controller/workflow-queue.ts';
import { eventually } from '../servers/processes.ts';

const silent = { debug() {}, info() {}, warning() {}, error() {}, with: () => silent };

/** Remembers what is said to Temporal; `away` makes it refuse. */
const scripted = () => {
  const said: string[] = [];
  const state = { away: false, isTurnOpen: false, isMine: true };
  const note = (what: string) => async (workflow: ResourceWorkflow | string) => {
    if (state.away) throw new Error('Temporal is away');
    said.push(`${what} ${typeof workflow === 'string' ? workflow : workflow.workflowId}`);
  };
  const starter: WorkflowStarter = {
    ...{ start: note('ensure'), signalWithStart: note('tell'), signal: note('end') },
    running: async () => new Set(),
  };
  const openTurns = {
    release: async (turn: TurnRef) => {
      if (!state.isTurnOpen || turn instanceof Uint8Array) return false;
      await note('release')(turn.workflowId);
      return true;
    },
  };
  const heldTurns = new HeldTurns();
  return { said, state, starter, openTurns, heldTurns };
};

const app = (fields: Partial<WatchedApp['metadata']> & { observed?: number; answered?: string } = {}): WatchedApp => {
  const { observed, answered, ...metadata } = fields;
  return {
    metadata: { uid: 'u1', namespace: 'shop', name: 'cart', generation: 1, ...metadata },
    spec: {},
    mirror: [],
    ...(observed !== undefined && { observedGeneration: observed }),
    ...(answered !== undefined && { pollRequestedAt: answered }),
  };
};

const id = 'targetapp/shop/cart/u1';
let controller: Controller<WatchedApp> | undefined;
afterEach(() => controller?.stop());

const controllerWith = (
  { state, said: _, ...telling }: ReturnType<typeof scripted>,
  all: WatchedApp[] = [],
  postLookout: WorkflowQueueOptions['postLookout'] = () => undefined,
) => {
  controller = createController({
    registration: registrations.TargetApp,
    ...telling,
    metrics: { failed() {} },
    log: silent,
    all: () => all,
    owns: () => state.isMine,
    postLookout,
  });
  controller.takeOver(false);
  return controller;
};

const lookoutThat = (sees: Promise<object>, end: () => void = () => undefined): Lookout => {
  const lookout = {
    looked: sees.then((seen) => void Object.assign(lookout, { seen })),
    end,
  };
  return lookout;
};

const ending = { generation: 2, deletionTimestamp: '2026-01-01T00:00:00Z' };
const rows: [string, Parameters<Controller<WatchedApp>['onChange']>, string[]][] = [
  ['a new object starts its workflow, which then looks', ['added', app()], [`tell ${id}`]],
  ['an object that its workflow has seen is only made sure of', ['added', app({ observed: 1 })], [`ensure ${id}`]],
  ['an edit while the controller was away is told', ['added', app({ generation: 2, observed: 1 })], [`tell ${id}`]],
  ['an edit is told', ['modified', app({ generation: 2 }), app()], [`tell ${id}`]],
  [
    'a poll that is asked for is told',
    ['modified', app({ annotations: { 'kco.local/poll-requested-at': 'now' } }), app()],
    [`tell ${id}`],
  ],
  [
    'a poll that was asked for while the controller was away is told',
    ['added', app({ observed: 1, answered: 'before', annotations: { 'kco.local/poll-requested-at': 'now' } })],
    [`tell ${id}`],
  ],
  [
    'a poll that was asked for and answered is not told again',
    ['added', app({ observed: 1, answered: 'now', annotations: { 'kco.local/poll-requested-at': 'now' } })],
    [`ensure ${id}`],
  ],
  ['the begin of a deletion is told, and starts no workflow', ['modified', app(ending), app()], [`end ${id}`]],
  ['an object that is being deleted starts no workflow when it is first seen', ['added', app(ending)], [`end ${id}`]],
  ['what happens to an object that is being deleted is not told', ['modified', app(ending), app(ending)], []],
  ['a status that KCO wrote itself is not', ['modified', app({ observed: 1 }), app()], []],
  ['another annotation is not', ['modified', app({ annotations: { team: 'a' } }), app()], []],
  ['a deletion is told to the workflow that there is, and starts none', ['deleted', app()], [`end ${id}`]],
];

describe('the controller', () => {
  it.each(rows)('%s', async (_, change, expected) => {
    const temporal = scripted();
    const { said } = temporal;
    const made = controllerWith(temporal);
    made.onChange(...change);
    await eventually('nothing to wait', () => made.pending === 0);
    expect(said).toEqual(expected);
  });

  it('loses no word while Temporal is away, and says each once when it is back', async () => {
    const temporal = scripted();
    const { said, state } = temporal;
    const made = controllerWith(temporal);
    state.away = true;
    made.onChange('added', app());
    made.onChange('modified', app({ generation: 2 }), app());
    made.onChange('modified', app({ generation: 3 }), app({ generation: 2 }));
    state.away = false;
    await eventually('the word', () => said.length > 0 && made.pending === 0);
    expect(said).toEqual([`tell ${id}`]);
  });

  it('lets a workflow begin with what was seen of its object, and waits for neither an app that hangs nor its turn', async () => {
    const temporal = scripted();
    const begun: ResourceWorkflow[] = [];
    temporal.starter.signalWithStart = async (workflow) => void begun.push(workflow);
    const hanging = Promise.withResolvers<object>();
    const made = controllerWith(temporal, [], ({ uid }) =>
      lookoutThat(uid === 'u1' ? hanging.promise : Promise.resolve({ matched: 1 })),
    );
    made.onChange('added', app());
    made.onChange('added', app({ uid: 'u2' }));
    await eventually('the second to begin', () => begun.length === 1);
    expect(begun[0]?.input).toMatchObject({ app: { uid: 'u2' }, seen: { matched: 1 } });
    hanging.resolve({ matched: 2 });
    await eventually('the first to begin', () => begun.length === 2);
    expect(begun[1]?.input).toMatchObject({ app: { uid: 'u1' }, seen: { matched: 2 } });
  });

  it('watches all that wait to begin, and lets those begin first of which there is news', async () => {
    const temporal = scripted();
    const uids = Array.from({ length: 40 }, (_, index) => `u${index}`);
    const begun: ResourceWorkflow[] = [];
    const news = new Map<string, () => void>();
    const ended: string[] = [];
    const gate = Promise.withResolvers<void>();
    temporal.starter.signalWithStart = async (workflow) => {
      begun.push(workflow);
      await gate.promise;
    };
    const made = controllerWith(temporal, [], ({ uid }, onNews) => {
      news.set(uid, onNews);
      return lookoutThat(Promise.resolve({ matched: 1 }), () => void ended.push(uid));
    });
    for (const uid of uids) made.onChange('added', app({ uid }));
    await eventually('as many to begin as may at once', () => begun.length === 16);
    expect([...news.keys()]).toEqual(uids);
    news.get('u39')?.();
    gate.resolve();
    await eventually('all to begin', () => made.pending === 0);
    const order = begun.map(({ input }) => input.app.uid);
    expect(order.indexOf('u39')).toBe(16);
    expect(order.toSorted()).toEqual(uids.toSorted());
    expect(begun[16]?.input).toMatchObject({ seen: { matched: 1 } });
    expect(ended.toSorted()).toEqual(uids.toSorted());
  });

  it('lets none begin that another replica looks after by now', async () => {
    const temporal = scripted();
    const looked = Promise.withResolvers<object>();
    let isWatched = true;
    const made = controllerWith(temporal, [], () =>
      lookoutThat(looked.promise, () => {
        isWatched = false;
      }),
    );
    made.onChange('added', app());
    temporal.state.isMine = false;
    looked.resolve({});
    await eventually('nothing to wait', () => made.pending === 0);
    expect([temporal.said, isWatched]).toEqual([[], false]);
  });

  it('does not watch an object whose workflow has reported, because that is there', async () => {
    const temporal = scripted();
    let posted = 0;
    const made = controllerWith(temporal, [], () => {
      posted += 1;
      return lookoutThat(Promise.resolve({}));
    });
    made.onChange('added', app({ generation: 2, observed: 1 }));
    await eventually('the word', () => temporal.said.length > 0 && made.pending === 0);
    expect([temporal.said, posted]).toEqual([[`tell ${id}`], 0]);
  });

  it('gives an object that came back under its name a workflow of its own', async () => {
    const temporal = scripted();
    const { said } = temporal;
    const made = controllerWith(temporal);
    made.onChange('deleted', app());
    made.onChange('added', app({ uid: 'u2' }));
    await eventually('both', () => said.length === 2);
    expect(said.sort()).toEqual([`end ${id}`, 'tell targetapp/shop/cart/u2']);
  });

  it('says nothing of what another replica looks after, and catches up when it takes that over', async () => {
    const temporal = scripted();
    const { said, state } = temporal;
    const made = controllerWith(temporal, [app({ generation: 2, observed: 1 })]);
    await eventually('its own start', () => made.pending === 0);
    state.isMine = false;
    made.takeOver(false);
    said.length = 0;
    made.onChange('modified', app({ generation: 2 }), app());
    made.resync(undefined);
    expect(made.pending).toBe(0);
    state.isMine = true;
    made.takeOver(true);
    await eventually('the word', () => said.length > 0 && made.pending === 0);
    expect(said).toEqual([`tell ${id}`]);
  });

  it('waits for the turns that others let go of, and asks for those that nobody hands over', async () => {
    const temporal = scripted();
    const all: WatchedApp[] = [];
    const made = controllerWith(temporal, all);
    all.push(app({ observed: 1 }));
    made.takeOver(true);
    expect([made.pending, temporal.heldTurns.missingFor(-15_000)]).toEqual([0, ['u1']]);
    expect(temporal.heldTurns.missingFor(0)).toEqual([]);
    made.takeOver(false);
    await eventually('the word', () => temporal.said.length > 0 && made.pending === 0);
    temporal.heldTurns.add('u1');
    made.takeOver(false);
    expect([temporal.said, made.pending]).toEqual([[`ensure ${id}`], 0]);
  });

  it('says nothing again of what it looked after before, when others come to it', async () => {
    const temporal = scripted();
    const all = [app({ observed: 1 })];
    const made = controllerWith(temporal, all);
    await eventually('the first', () => temporal.said.length > 0 && made.pending === 0);
    all.push(app({ uid: 'u2', name: 'pay', generation: 2, observed: 1 }));
    made.takeOver(true);
    await eventually('both', () => temporal.said.length > 1 && made.pending === 0);
    expect(temporal.said).toEqual([`ensure ${id}`, 'tell targetapp/shop/pay/u2']);
  });

  it('tells a poll that was asked for while nobody looked after it, when it takes over', async () => {
    const temporal = scripted();
    const annotations = { 'kco.local/poll-requested-at': 'now' };
    controllerWith(temporal, [app({ observed: 1, annotations })]);
    await eventually('the word', () => temporal.said.length > 0);
    expect(temporal.said).toEqual([`tell ${id}`]);
  });

  it('starts no workflow for what is being deleted, neither when it takes over nor at a resync', async () => {
    const temporal = scripted();
    const made = controllerWith(temporal, [app(ending)]);
    await eventually('the first word', () => temporal.said.length === 1);
    made.resync(new Set());
    await eventually('the second word', () => temporal.said.length === 2);
    expect(temporal.said).toEqual([`end ${id}`, `end ${id}`]);
  });

  it('makes sure of every workflow at a resync', async () => {
    const temporal = scripted();
    const all = [app({ observed: 1 }), app({ uid: 'u2', name: 'pay', observed: 1 })];
    const made = controllerWith(temporal, all);
    await eventually('its own start', () => made.pending === 0);
    temporal.said.length = 0;
    made.resync(undefined);
    await eventually('both', () => temporal.said.length === 2);
    expect(temporal.said.sort()).toEqual([`ensure ${id}`, 'ensure targetapp/shop/pay/u2']);
  });

  it('tells nothing of an object whose turn is held here, which sees by itself what has changed', async () => {
    const temporal = scripted();
    const made = controllerWith(temporal);
    temporal.heldTurns.add('u1');
    made.onChange('modified', app({ generation: 2 }), app());
    await eventually('nothing to wait', () => made.pending === 0);
    made.onChange('deleted', app());
    await eventually('the word', () => temporal.said.length > 0);
    expect(temporal.said).toEqual([`end ${id}`]);
  });

  it('takes over a turn that somebody has left open, without a word to the workflow', async () => {
    const temporal = scripted();
    temporal.state.isTurnOpen = true;
    const made = controllerWith(temporal, [app({ observed: 1 })]);
    await eventually('the word', () => temporal.said.length > 0 && made.pending === 0);
    expect(temporal.said).toEqual([`release ${id}`]);
    expect(temporal.heldTurns.missingFor(0)).toEqual(['u1']);
  });

  it('starts a workflow anew that does not run any more, though its turn is held here', async () => {
    const temporal = scripted();
    const made = controllerWith(temporal, [app({ observed: 1 })]);
    await eventually('its own start', () => made.pending === 0);
    temporal.heldTurns.add('u1');
    temporal.said.length = 0;
    made.resync(new Set([id]));
    await eventually('nothing to wait', () => made.pending === 0);
    expect(temporal.said).toEqual([]);
    made.resync(new Set());
    await eventually('the word', () => temporal.said.length > 0);
    expect(temporal.said).toEqual([`tell ${id}`]);
  });

  it('ends the workflows of objects that went while nobody was there, of its own kind and its own part alone', async () => {
    const temporal = scripted();
    const made = controllerWith(temporal, [app({ observed: 1 })]);
    await eventually('its own start', () => made.pending === 0);
    temporal.said.length = 0;
    const running = new Set([id, 'targetapp/shop/gone/u2', 'beacon/shop/gone/u3', 'somebody-elses']);
    made.endOrphans(running);
    await eventually('the word', () => temporal.said.length > 0 && made.pending === 0);
    expect(temporal.said).toEqual(['end targetapp/shop/gone/u2']);
    temporal.state.isMine = false;
    made.endOrphans(running);
    expect(made.pending).toBe(0);
  });
});
