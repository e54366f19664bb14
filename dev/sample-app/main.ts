// The sample application as a process of its own: node dev/sample-app/main.ts [--port 8080] [--host 0.0.0.0] [--single]
import { parseArgs } from 'node:util';
import { startSampleApp } from './app.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    host: { type: 'string', default: '0.0.0.0' },
    single: { type: 'boolean', default: false },
  },
});
const app = await startSampleApp({ port: Number(values.port), host: values.host, single: values.single });
console.log(`sample application on port ${app.port}: POST /graphql, GET /healthz, GET /readyz`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void app.close());
