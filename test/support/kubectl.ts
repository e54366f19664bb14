import { execFile } from 'node:child_process';

/** What a run of kubectl left behind. */
export interface KubectlResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs kubectl with these arguments and this text on its standard input. */
export type Kubectl = (args: string[], input?: string) => Promise<KubectlResult>;

/** @param binary path of kubectl; @param kubeconfig path of the kubeconfig it uses */
export const createKubectl =
  (binary: string, kubeconfig: string): Kubectl =>
  (args, input = '') =>
    new Promise((resolve) => {
      const child = execFile(binary, ['--kubeconfig', kubeconfig, ...args], (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      );
      child.stdin?.end(input);
    });
