#!/bin/sh
# Builds the operator's image with podman, docker or buildah, whichever is there first.
#
#   ./build.sh                                  localhost/kco-operator:<version>
#   ./build.sh -t registry.example/kco:1.2.3    another name; further arguments go to the builder
#   ./build.sh --target sample-app -t localhost/kco-sample-app:dev
#
# KCO_BUILDER names the command to build with (it gets what `docker build` would get), e.g. "docker buildx build --load".
set -eu
cd "$(dirname "$0")"

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)

builder() {
  if [ -n "${KCO_BUILDER:-}" ]; then echo "$KCO_BUILDER"
  elif command -v podman >/dev/null; then echo "podman build"
  elif command -v docker >/dev/null; then echo "docker build"
  elif command -v buildah >/dev/null; then echo "buildah build"
  else
    echo "build.sh: needs podman, docker or buildah, or KCO_BUILDER" >&2
    exit 1
  fi
}

named=
for argument; do case $argument in -t | --tag | --tag=*) named=yes ;; esac; done
[ -n "$named" ] || set -- -t "localhost/kco-operator:$version" "$@"

build=$(builder)
echo "build.sh: $build" >&2
# shellcheck disable=SC2086 # the command may have arguments of its own
exec $build -f Containerfile --build-arg "VERSION=$version" --build-arg "REVISION=$revision" "$@" .
