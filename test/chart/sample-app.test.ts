import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type SampleApp, startSampleApp } from '../../dev/sample-app/app.ts';
import { planned } from '../support/target-app-manifest.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'examples', 'sample-app');
const read = (file: string) => parse(readFileSync(join(folder, file), 'utf8'));
const deployment = read('deployment.yaml');
const targetApp = read('targetapp.yaml');
const page = readFileSync(join(root, 'docs', 'installation.md'), 'utf8');
const section = page.split(/^## /m).find((part) => part.startsWith('A first TargetApp')) ?? '';

let app: SampleApp;
beforeAll(async () => {
  app = await startSampleApp({ single: true, host: '127.0.0.1' });
});
afterAll(() => app.close());

describe('the first TargetApp', () => {
  it('is two manifests, which the documentation applies', () => {
    expect(readdirSync(folder).sort()).toEqual(['deployment.yaml', 'targetapp.yaml']);
    expect(section).toContain('kubectl apply -f examples/sample-app/');
  });

  it('selects the pods of the Deployment, in its namespace, of the image that is built', () => {
    const { selector, template } = deployment.spec;
    expect(targetApp.metadata.namespace).toBe(deployment.metadata.namespace);
    expect(targetApp.spec.selector).toEqual(selector);
    expect(template.metadata.labels).toEqual(selector.matchLabels);
    expect(section).toContain(`--target sample-app -t ${template.spec.containers[0].image}\n`);
  });

  it('has a query that the sample application answers, and a value that its health can have', async () => {
    const { stateQuery, actions } = targetApp.spec;
    const answer = await fetch(app.url(), { method: 'POST', body: JSON.stringify({ query: stateQuery }) });
    expect(await answer.json()).toEqual({ data: { application: { status: 'running', health: 'healthy' } } });
    expect(actions).toHaveLength(1);
    expect(planned(targetApp.spec).problems).toEqual([]);
    expect(section).toContain(`setHealth(health:\\"${actions[0].trigger.value}\\")`);
  });

  it('breaks by the script that the documentation gives', async () => {
    const script = section.match(/node -e "(.*)"$/m)?.[1]?.replaceAll('\\"', '"') ?? '';
    const here = script.replace('http://127.0.0.1:8080/graphql', app.url());
    expect(here).not.toBe(script);
    const said = await new Function('console', `return ${here}`)({ log: (text: string) => text });
    expect(JSON.parse(said)).toEqual({ data: { setHealth: { health: 'unhealthy' } } });
    expect(app.stateOf('127.0.0.1').health).toBe('unhealthy');
  });

  it('fits the restricted Pod Security Standard', () => {
    const { securityContext, containers, ...pod } = deployment.spec.template.spec;
    expect(securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod).toEqual({ automountServiceAccountToken: false, terminationGracePeriodSeconds: 1 });
    expect(containers).toHaveLength(1);
    expect(containers[0].securityContext).toEqual({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(containers[0].ports).toEqual([{ name: 'http', containerPort: 8080 }]);
  });
});
