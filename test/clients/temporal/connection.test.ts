import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { apiKeyOf, createTemporalClient, type TemporalAddress } from '../../../src/clients/temporal/connection.ts';
import { redacted } from '../../../src/telemetry/known-secrets.ts';
import { createRedactor } from '../../../src/telemetry/redactor.ts';
import { connectWorker } from '../../../src/worker/worker.ts';
import { eventually } from '../../servers/processes.ts';
import { type FakeTemporal, startFakeTemporal } from '../../support/fake-temporal.ts';

let scratch: string;
let temporal: FakeTemporal;
beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'kco-temporal-'));
  temporal = await startFakeTemporal();
});
afterEach(async () => {
  await temporal.close();
  rmSync(scratch, { recursive: true });
});

const keyFile = () => join(scratch, 'api-key');

/** Replaces the key as the kubelet does: at once, never half of it. */
const writeKey = (key: string): void => {
  writeFileSync(join(scratch, 'next'), key);
  renameSync(join(scratch, 'next'), keyFile());
};

const addressWith = (fields: Partial<TemporalAddress>): TemporalAddress => {
  const caFile = join(scratch, 'ca.pem');
  writeFileSync(caFile, temporal.ca);
  return { address: temporal.address, namespace: 'default', tls: { caFile }, ...fields };
};

describe('the API key', () => {
  it('of a file that is replaced is used by the client from its next call on', async () => {
    writeKey('first-key\n');
    const { connection, workflowService } = createTemporalClient(addressWith({ apiKeyFile: keyFile() }));
    try {
      await workflowService.describeNamespace({ namespace: 'default' });
      writeKey('second-key\n');
      await workflowService.describeNamespace({ namespace: 'default' });
    } finally {
      await connection.close();
    }
    expect(temporal.authorizations[0]).toBe('Bearer first-key');
    expect(temporal.authorizations.at(-1)).toBe('Bearer second-key');
  });

  it('of a file that is replaced is used by the worker without a new connection', async () => {
    writeKey('first-key');
    const { connection, close } = await connectWorker(addressWith({ apiKeyFile: keyFile() }), 20);
    try {
      const { workflowService } = connection;
      expect(temporal.authorizations.at(-1)).toBe('Bearer first-key');
      writeKey('second-key');
      await eventually('the second key', async () => {
        await workflowService.describeNamespace({ namespace: 'default' });
        return temporal.authorizations.at(-1) === 'Bearer second-key';
      });
    } finally {
      await close();
    }
  });

  it('of the environment is sent as it is, and without one none is', async () => {
    for (const fields of [{ apiKey: 'plain-key' }, {}]) {
      const { connection, workflowService } = createTemporalClient(addressWith(fields));
      await workflowService.describeNamespace({ namespace: 'default' });
      await connection.close();
    }
    expect(temporal.authorizations[0]).toBe('Bearer plain-key');
    expect(temporal.authorizations.at(-1)).toBeUndefined();
  });

  it.each([
    ['is missing', () => rmSync(keyFile())],
    ['is empty', () => writeKey('\n')],
  ])('stays the one before while its file %s', (_, happens) => {
    writeKey('first-key');
    const apiKey = apiKeyOf(addressWith({ apiKeyFile: keyFile() }));
    expect(apiKey()).toBe('first-key');
    happens();
    expect(apiKey()).toBe('first-key');
  });

  it('is known to the redactor before its first use, and so is each that replaces it', () => {
    const redactor = createRedactor();
    writeKey('first-key');
    const apiKey = apiKeyOf(addressWith({ apiKeyFile: keyFile(), onApiKey: redactor.add }));
    apiKey();
    writeKey('second-key');
    apiKey();
    expect(redactor.text('first-key, second-key')).toBe(`${redacted}, ${redacted}`);
  });
});
