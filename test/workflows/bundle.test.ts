import { beforeAll, describe, expect, it } from '@jest/globals';
import { workflowBundle } from '../support/workflow-env.ts';

/** What each cached workflow pays for in memory; the SDK's own part is most of it. */
const maxCodeBytes = 880 * 1024;

const mapUrl = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';

/** The code alone, and the names of the modules that it was made from. */
function opened(bundle: string): { code: string; sources: string[] } {
  const at = bundle.lastIndexOf(mapUrl);
  const map = Buffer.from(bundle.slice(at + mapUrl.length), 'base64').toString();
  return { code: bundle.slice(0, at), sources: (JSON.parse(map) as { sources: string[] }).sources };
}

let modules: string[] = [];
let codeBytes = 0;
beforeAll(async () => {
  const { code, sources } = opened((await workflowBundle()).code);
  modules = sources;
  codeBytes = Buffer.byteLength(code);
}, 120_000);

describe('the workflow bundle', () => {
  it('is made of the workflows, the domain and the SDK, and of nothing else: no zod, no CEL, no GraphQL, no Node', () => {
    const ours = modules.flatMap((name) =>
      name.includes('/node_modules/') ? [] : (/\/src\/([^/]+)\//.exec(name)?.[1] ?? []),
    );
    const theirs = modules.flatMap((name) => /\/node_modules\/((?:@[\w-]+\/)?[\w-]+)/.exec(name)?.[1] ?? []);
    expect(new Set(ours)).toEqual(new Set(['workflows', 'domain']));
    expect(new Set(theirs)).toEqual(new Set(['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']));
  });

  it('is small, because every cached workflow pays for it', () => {
    console.log(`the workflow bundle: ${(codeBytes / 1024).toFixed(0)} KiB of code`);
    expect(codeBytes).toBeGreaterThan(10_000);
    expect(codeBytes).toBeLessThan(maxCodeBytes);
  });
});
