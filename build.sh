#!/bin/sh
# Builds the operator's image with podman, docker or buildah, whichever is there first, and says how large it is.
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

# Unpacked, as a node keeps it. Quiet where nobody can be asked: an image that was pushed, a builder of another kind.
say_size() {
  for tool in podman docker buildah; do
    command -v $tool >/dev/null || continue
    case $tool in
      buildah) size=$(buildah images --format '{{.Size}}' "$1" 2>/dev/null) || continue ;;
      *) size=$($tool image inspect --format '{{.Size}} bytes' "$1" 2>/dev/null) || continue ;;
    esac
    echo "build.sh: $1 is $size unpacked" >&2
    return
  done
}

name=
next=
for argument; do
  case $argument in
    -t | --tag) next=yes ;;
    --tag=*) name=${argument#--tag=} ;;
    *) [ -z "$next" ] || name=$argument; next= ;;
  esac
done
if [ -z "$name" ]; then
  name=localhost/kco-operator:$version
  set -- -t "$name" "$@"
fi

build=$(builder)
echo "build.sh: $build" >&2
# shellcheck disable=SC2086 # the command may have arguments of its own
$build -f Containerfile --build-arg "VERSION=$version" --build-arg "REVISION=$revision" "$@" .
say_size "$name"
