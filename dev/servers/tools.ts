/** The servers that this module starts, in the order in which they are stopped; `helm` and `kubectl` are only looked up. */
export type ToolName =
  | 'etcd'
  | 'helm'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubectl'
  | 'kwok'
  | 'temporal';

/** Where an official release of a tool is, and where its SHA-256 is written down. */
export interface Release {
  url: string;
  /** Either a file with the bare digest or a list of `digest  file` lines. */
  checksumUrl: string;
  /** The binary's path inside the `.tar.gz`; absent when `url` is the binary itself. */
  member?: string;
}

/** The operating system and processor in Go's words, e.g. `linux` and `arm64`. */
export interface Platform {
  os: string;
  arch: string;
}

/** One row of the table of tools. */
export interface Tool {
  name: ToolName;
  /** Without a leading `v`. */
  version: string;
  /** The environment variable that names a binary; it wins over every other place. */
  variable: string;
  /** Arguments that print the version. */
  versionArgs: string[];
  /** What that output must match for a binary on PATH to be used. */
  compatible: RegExp;
  release?: (platform: Platform) => Release | undefined;
  /** The folder under `tools/` with the pinned go.mod, the package to build, and more linker flags. */
  build: { module: string; package: string; ldflags?: string };
}

const kubernetesVersion = '1.34.4';

/** `gitVersion` must be set: without it the API server says v0.0.0 and clients that check the version refuse it. */
const kubernetesLdflags = [
  `-X k8s.io/component-base/version.gitVersion=v${kubernetesVersion}`,
  '-X k8s.io/component-base/version.gitMajor=1',
  '-X k8s.io/component-base/version.gitMinor=34',
].join(' ');

function kubernetesTool(name: ToolName, versionArgs: string[], compatible: RegExp): Tool {
  return {
    name,
    version: kubernetesVersion,
    variable: `KCO_${name.toUpperCase().replaceAll('-', '_')}`,
    versionArgs,
    compatible,
    // Kubernetes publishes its servers for Linux only, its client for every platform.
    release: ({ os, arch }) => {
      if (os !== 'linux' && name !== 'kubectl') return undefined;
      const url = `https://dl.k8s.io/release/v${kubernetesVersion}/bin/${os}/${arch}/${name}`;
      return { url, checksumUrl: `${url}.sha256` };
    },
    build: { module: 'kube', package: `k8s.io/kubernetes/cmd/${name}`, ldflags: kubernetesLdflags },
  };
}

const etcdVersion = '3.6.5';
const helmVersion = '3.22.0';
const temporalVersion = '1.5.1';

/** Every pinned version is here and in the go.mod files beside it, nowhere else. */
export const tools: Record<ToolName, Tool> = {
  etcd: {
    name: 'etcd',
    version: etcdVersion,
    variable: 'KCO_ETCD',
    versionArgs: ['--version'],
    compatible: /etcd Version: 3\.[56]\./,
    release: ({ os, arch }) => {
      if (os !== 'linux') return undefined;
      const base = `https://github.com/etcd-io/etcd/releases/download/v${etcdVersion}`;
      const folder = `etcd-v${etcdVersion}-${os}-${arch}`;
      return { url: `${base}/${folder}.tar.gz`, checksumUrl: `${base}/SHA256SUMS`, member: `${folder}/etcd` };
    },
    build: { module: 'etcd', package: 'go.etcd.io/etcd/server/v3' },
  },
  // It renders and installs the chart; no server needs it.
  helm: {
    name: 'helm',
    version: helmVersion,
    variable: 'KCO_HELM',
    versionArgs: ['version', '--short'],
    compatible: /^v3\.(1[5-9]|[2-9]\d)\b/m,
    release: ({ os, arch }) => {
      const url = `https://get.helm.sh/helm-v${helmVersion}-${os}-${arch}.tar.gz`;
      return { url, checksumUrl: `${url}.sha256sum`, member: `${os}-${arch}/helm` };
    },
    build: {
      module: 'helm',
      package: 'helm.sh/helm/v3/cmd/helm',
      // Without the last two a chart is rendered for Kubernetes 1.20.
      ldflags: [
        `-X helm.sh/helm/v3/internal/version.version=v${helmVersion}`,
        '-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1',
        '-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=34',
      ].join(' '),
    },
  },
  'kube-apiserver': kubernetesTool('kube-apiserver', ['--version'], /Kubernetes v1\.34\./),
  'kube-controller-manager': kubernetesTool('kube-controller-manager', ['--version'], /Kubernetes v1\.34\./),
  'kube-scheduler': kubernetesTool('kube-scheduler', ['--version'], /Kubernetes v1\.34\./),
  // Only a person uses it, so a wider version skew than the supported one does no harm.
  kubectl: kubernetesTool('kubectl', ['version', '--client'], /Client Version: v1\.(2[89]|3\d)\./),
  kwok: {
    name: 'kwok',
    version: '0.8.0',
    variable: 'KCO_KWOK',
    versionArgs: ['--version'],
    compatible: /kwok version v0\.8\./,
    // Its releases carry no checksums, so it is built: the Go checksum database vouches for the module.
    build: { module: 'kwok', package: 'sigs.k8s.io/kwok/cmd/kwok' },
  },
  temporal: {
    name: 'temporal',
    version: temporalVersion,
    variable: 'KCO_TEMPORAL',
    versionArgs: ['--version'],
    compatible: /temporal version 1\.[5-9]\./,
    release: ({ os, arch }) => {
      const base = `https://github.com/temporalio/cli/releases/download/v${temporalVersion}`;
      return {
        url: `${base}/temporal_cli_${temporalVersion}_${os}_${arch}.tar.gz`,
        checksumUrl: `${base}/checksums.txt`,
        member: 'temporal',
      };
    },
    build: {
      module: 'temporal',
      package: 'github.com/temporalio/cli/cmd/temporal',
      ldflags: `-X github.com/temporalio/cli/temporalcli.Version=${temporalVersion}`,
    },
  },
};

/** This machine in Go's words. */
export function thisPlatform(): Platform {
  return { os: process.platform, arch: process.arch === 'x64' ? 'amd64' : process.arch };
}
