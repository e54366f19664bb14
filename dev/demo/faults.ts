import type { Setup } from './setup.ts';

/** What a person does to the sample application. */
export interface Faults {
  /** One healthy pod says that it is unhealthy. Returns its name; undefined when there is none left. */
  breakPod(): string | undefined;
  /** One pod changes its status, to degraded and back. */
  changeStatus(): string | undefined;
  /** One pod does not answer any more. */
  cutOff(): string | undefined;
  /** All pods are as they were when they started. */
  mend(): void;
}

/** Faults for the application of this setup; each is written to the event log. */
export function createFaults({ app, silent, cluster, log }: Setup): Faults {
  const say = (text: string) => log.record({ kind: 'you', text });
  const healthy = () =>
    cluster.runningPods().filter(({ ip }) => app.stateOf(ip).health === 'healthy' && !silent.has(ip));
  return {
    breakPod() {
      const [pod] = healthy();
      if (pod === undefined) return undefined;
      say(`break ${pod.name}: its health is unhealthy now`);
      app.setState(pod.ip, { health: 'unhealthy' });
      return pod.name;
    },
    changeStatus() {
      const pod = healthy().at(-1);
      if (pod === undefined) return undefined;
      const status = app.stateOf(pod.ip).status === 'running' ? 'degraded' : 'running';
      say(`change ${pod.name}: its status is ${status} now`);
      app.setState(pod.ip, { status });
      return pod.name;
    },
    cutOff() {
      const pod = healthy().at(-1);
      if (pod === undefined) return undefined;
      say(`cut off ${pod.name}: it hangs up on everybody now`);
      app.fault(pod.ip, { kind: 'reset' });
      silent.add(pod.ip);
      return pod.name;
    },
    mend() {
      say('mend: every pod answers, and is healthy and running');
      for (const ip of silent) app.fault(ip, undefined);
      silent.clear();
      for (const { ip } of cluster.runningPods()) app.setState(ip, { health: 'healthy', status: 'running' });
    },
  };
}
