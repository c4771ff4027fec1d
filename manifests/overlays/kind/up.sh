#!/usr/bin/env bash
# From nothing to an endpoint on one machine: `make kind`.
#
# Creates a kind cluster with a registry, installs Kubeflow Pipelines and KServe (Standard mode),
# builds and pushes the images, applies the overlay, and runs the pipeline with the set `smoke`.
# Needs kind, kubectl, helm, docker, 8 CPUs, 24 GB and a network. May be run again.
set -euo pipefail
cd "$(dirname "$0")/../../.."

NAME=emotion
NAMESPACE=emotion
REGISTRY=localhost:5001
TAG=local
overlay=manifests/overlays/kind

for program in kind kubectl helm docker; do
  command -v "$program" >/dev/null || {
    echo "$program: is not installed; docs/cluster.md says what is needed" >&2
    exit 1
  }
done

echo '== Cluster and registry'
docker inspect kind-registry >/dev/null 2>&1 ||
  docker run --detach --restart always --name kind-registry --publish 127.0.0.1:5001:5000 registry:2.8.3
# Not through pipes: what ends before all is written to it would end this script.
grep --quiet --line-regexp "$NAME" <<<"$(kind get clusters)" ||
  kind create cluster --name "$NAME" --config "$overlay/cluster.yaml"
docker network connect kind kind-registry 2>/dev/null || true
hosts=/etc/containerd/certs.d/$REGISTRY
docker exec "$NAME-control-plane" mkdir -p "$hosts"
docker exec -i "$NAME-control-plane" cp /dev/stdin "$hosts/hosts.toml" \
  <<<'[host."http://kind-registry:5000"]'
kubectl config use-context "kind-$NAME"

manifests/kubeflow/install.sh Standard

echo '== Images'
make images push lock REGISTRY="$REGISTRY" TAG="$TAG"

echo '== Overlay'
kubectl apply --server-side -k "$overlay"
manifests/overlays/kind/object-storage.sh "$NAMESPACE"

echo '== Run'
kubectl --namespace kubeflow port-forward service/ml-pipeline 8888:8888 >/dev/null &
forward=$!
trap 'kill "$forward" 2>/dev/null || true' EXIT
KFP_TOKEN=$(manifests/kubeflow/submitter.sh "$NAMESPACE") make submit \
  HOST=http://localhost:8888 NAMESPACE="$NAMESPACE" PARAMS=pipelines/params/smoke.yaml \
  SETTINGS="$overlay/compile-settings.yaml" LOCK=images/lock.yaml
make status SET="namespace=$NAMESPACE"
