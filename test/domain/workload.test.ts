import { describe, expect, it } from '@jest/globals';
import { holdOf, type PodLife, tooYoung, unsettled, type Workload } from '../../src/domain/workload.ts';

const now = 1_000_000_000;
const minute = 60_000;

/** A pod that has been Ready for an hour; what matters to a test is given. */
const pod = (name: string, given: Partial<PodLife> = {}): PodLife => ({
  uid: name,
  name,
  createdAt: now - 60 * minute,
  startedAt: now - 60 * minute,
  running: true,
  ready: true,
  wasReady: true,
  readySince: now - 60 * minute,
  alive: true,
  ...given,
});
const born = (age: number): Partial<PodLife> => ({ createdAt: now - age, startedAt: now - age, readySince: now - age });
const neverReady = (name: string, age: number, given: Partial<PodLife> = {}) =>
  pod(name, { ready: false, wasReady: false, ...born(age), ...given });
const web: Workload = { name: 'Deployment web', uid: 'web', desired: 3 };
const ill = pod('a', { ready: false, readySince: now - minute });

describe('a pod is restarted', () => {
  it.each([
    ['that was Ready and is not any more', ill, [ill, pod('b'), pod('c')]],
    ['that is Ready and ill all the same', pod('a'), [pod('a'), pod('b'), pod('c')]],
    [
      'that was never Ready in all its time',
      neverReady('a', 5 * minute),
      [pod('b'), pod('c'), neverReady('a', 5 * minute)],
    ],
    [
      'although all others are ill, and have been for long',
      ill,
      [ill, neverReady('b', 6 * minute), pod('c', { ready: false })],
    ],
    ['although more are there than there are to be', ill, [ill, pod('b'), pod('c'), pod('d')]],
    [
      'although one is on its way out that has been replaced',
      ill,
      [ill, pod('b'), pod('c'), pod('d', { alive: false, deletedAt: now + minute })],
    ],
    ['although one has just become Ready', ill, [ill, pod('b'), pod('c', born(2000))]],
    ['although one fell ill as soon as it was Ready', ill, [ill, pod('b'), pod('c', { ready: false, ...born(9000) })]],
  ])('%s', (_, target, pods) => {
    expect(holdOf({ target, workload: web, pods, now })).toBeUndefined();
  });
});

describe('a restart waits', () => {
  const others = [pod('b'), pod('c')];

  it.each<[string, PodLife, PodLife[], Workload, string]>([
    [
      'for one that is not Ready yet',
      ill,
      [ill, pod('b'), neverReady('c', minute)],
      web,
      'the pod c of Deployment web is on its way: not Ready 60 s after its start',
    ],
    [
      'for one that has no node yet',
      ill,
      [ill, pod('b'), neverReady('c', 4 * minute, { running: false })],
      web,
      'the pod c',
    ],
    ['for one that is missing', ill, [ill, pod('b')], web, 'Deployment web has 2 of 3 pods'],
    [
      'for one that is to be gone before its replacement comes',
      ill,
      [ill, pod('b'), pod('c', { alive: false, deletedAt: now + minute })],
      { ...web, name: 'StatefulSet web' },
      'StatefulSet web has 2 of 3 pods; being deleted: c',
    ],
    [
      'for one that is being deleted, where nobody says how many there are to be',
      ill,
      [ill, pod('b'), pod('c', { alive: false, deletedAt: now - minute })],
      { name: 'PodSet web', uid: 'web' },
      'the pod c of PodSet web is being deleted',
    ],
    [
      'for a rollout',
      ill,
      [ill, ...others],
      { ...web, rollout: 'is being rolled out' },
      'Deployment web is being rolled out',
    ],
  ])('%s', (_, target, pods, workload, words) => {
    const held = holdOf({ target, workload, pods, now });
    expect(held).toMatchObject({ reason: 'Rolling', message: expect.stringContaining(words) });
  });

  it.each([
    ['five minutes', {}, undefined, 299_000, 1000],
    ['as long as the rule says', {}, 20_000, 15_000, 5000],
    ['as long as its startupProbes allow', { startupMs: 600_000 }, undefined, 590_000, 10_000],
    ['what the rule says, whatever its startupProbes allow', { startupMs: 600_000 }, 20_000, 19_000, 1000],
    ['half a minute at a time', {}, undefined, 10_000, 30_000],
  ])('for a pod that was never Ready: %s', (_, given, asked, age, afterMs) => {
    const target = neverReady('a', age, given);
    expect(holdOf({ target, workload: web, pods: [target, ...others], asked, now })).toMatchObject({
      reason: 'StartingUp',
      message: expect.stringContaining('the pod a was never Ready'),
      afterMs,
    });
  });

  it('no longer than the short time that a startupProbe allows, once the containers run', () => {
    const short = { startupMs: 30_000 };
    const target = neverReady('a', 31_000, short);
    expect(holdOf({ target, workload: web, pods: [target, ...others], now })).toBeUndefined();
    const pulling = neverReady('c', 31_000, { ...short, running: false });
    expect(holdOf({ target: ill, workload: web, pods: [ill, pod('b'), pulling], now })?.reason).toBe('Rolling');
  });

  it('not at all where the rule says so', () => {
    const target = neverReady('a', 0);
    expect(holdOf({ target, workload: web, pods: [target, ...others], asked: 0, now })).toBeUndefined();
  });
});

describe('a restarted pod is replaced', () => {
  const before = { newest: now - 10 * minute, count: 3, at: now - minute };
  const old = [pod('b'), pod('c', { ready: false })];
  const settled = (pods: PodLife[], workload: Workload = web, asked?: number) =>
    unsettled(workload, pods, before, asked, now);

  it('once its replacement is Ready, however ill the others are', () => {
    expect(settled([...old, pod('d', born(9000))])).toBeUndefined();
  });

  it.each<[string, PodLife[], number | undefined, boolean, string]>([
    [
      'not Ready yet',
      [...old, neverReady('d', 9000)],
      undefined,
      false,
      'the replacement d of Deployment web is not Ready after 9 s',
    ],
    [
      'not Ready in its time',
      [...old, neverReady('d', 5 * minute)],
      undefined,
      true,
      'd of Deployment web is not Ready',
    ],
    ['not Ready in the time of the rule', [...old, neverReady('d', 20_000)], 20_000, true, 'd of Deployment web'],
    [
      'given what its startupProbes allow on top',
      [...old, neverReady('d', 30_000, { startupMs: minute })],
      20_000,
      false,
      'd',
    ],
    [
      'Ready for a moment only',
      [...old, pod('d', { ready: false, ...born(10 * minute - 1), readySince: now - 9000 })],
      undefined,
      false,
      'd of Deployment web is not Ready after 9 s',
    ],
    ['not there yet', old, undefined, false, 'Deployment web has 2 of 3 pods'],
    ['not there in its time', old, minute, true, 'Deployment web has 2 of 3 pods'],
    [
      'not there before the old one is gone, which may take long',
      [...old, pod('a', { alive: false, deletedAt: now + minute })],
      minute,
      false,
      'being deleted: a',
    ],
  ])('and is waited for while it is %s', (_, pods, asked, stalled, words) => {
    expect(settled(pods, web, asked)).toEqual({ message: expect.stringContaining(words), stalled });
  });

  it('counts the pods that there were, where nobody says how many there are to be', () => {
    const podSet = { name: 'PodSet web', uid: 'web' };
    expect(settled(old, podSet)).toMatchObject({ message: 'PodSet web has 2 of 3 pods' });
    expect(settled([...old, pod('d', born(9000))], podSet)).toBeUndefined();
  });

  it('is not waited for where fewer are to be by now', () => {
    expect(settled(old, { ...web, desired: 2 })).toBeUndefined();
  });
});

it('tells a replacement by its creation, and waits for pods that are too young for that', () => {
  expect(tooYoung([pod('a'), pod('b', born(1500))], now)).toMatchObject({ reason: 'Rolling', afterMs: 2000 });
  expect(tooYoung([pod('a'), pod('b', born(2000))], now)).toBeUndefined();
});
