#!/usr/bin/env bash
# Installs what the overlays build on, into the cluster of kubectl's context.
#
#   manifests/kubeflow/install.sh Standard|Knative
#
# cert-manager, Kubeflow Pipelines for several users, and KServe; for Knative mode also Istio and
# Knative Serving. Needs kubectl, helm and a network. May be run again.
set -euo pipefail
cd "$(dirname "$0")"

# A release of kubeflow/community-distribution, one of kubeflow/pipelines and one of kserve/kserve.
DISTRIBUTION=26.03.1
PIPELINES=2.17.0
KSERVE=v0.21.0

mode=${1:-}
case $mode in
  Standard | Knative) ;;
  *)
    echo 'usage: manifests/kubeflow/install.sh Standard|Knative' >&2
    exit 2
    ;;
esac

apply() { kubectl apply --server-side --force-conflicts -k "$1"; }
distribution() { apply "https://github.com/kubeflow/community-distribution/$1?ref=$DISTRIBUTION"; }
pipelines() {
  apply "https://github.com/kubeflow/pipelines/manifests/kustomize/$1?ref=$PIPELINES"
}
ready() { kubectl --namespace "$1" wait --for condition=Ready pods --all --timeout 900s; }

echo '== cert-manager'
distribution common/cert-manager/base
ready cert-manager

# Kubeflow Pipelines for several users has objects of Istio's kinds.
echo '== Istio'
distribution common/istio/istio-crds/base
if [ "$mode" = Knative ]; then
  distribution common/istio/istio-namespace/base
  distribution common/istio/istio-install/base
  ready istio-system
fi

# The overlays hold a pod monitor and alerts. Without their kinds `kubectl apply` of an overlay applies
# the rest and then fails.
echo '== Kinds of the Prometheus operator'
kinds='podmonitors.monitoring.coreos.com prometheusrules.monitoring.coreos.com'
# shellcheck disable=SC2086  # two words
kubectl get crd $kinds >/dev/null 2>&1 ||
  helm upgrade --install prometheus-operator-crds prometheus-operator-crds \
    --repo https://prometheus-community.github.io/helm-charts

echo "== Kubeflow Pipelines $PIPELINES"
# Their kinds come first.
pipelines cluster-scoped-resources
kubectl wait --for condition=established --timeout 60s crd/applications.app.k8s.io
pipelines third-party/metacontroller/base
pipelines env/platform-agnostic-multi-user
# Which failures are worth another try: docs/pipeline.md.
kubectl --namespace kubeflow set env deployment/ml-pipeline \
  "COMPILED_PIPELINE_SPEC_PATCH=$(cat retries.json)"
ready kubeflow

gateway=(--set kserve.controller.gateway.disableIngressCreation=true)
if [ "$mode" = Knative ]; then
  echo '== Knative Serving'
  distribution common/knative/knative-serving/overlays/gateways
  distribution common/istio/cluster-local-gateway/base
  # The gateway that Knative is configured with there, and KServe here.
  distribution common/istio/kubeflow-istio-resources/base
  ready knative-serving
  gateway=(--set kserve.controller.gateway.ingressGateway.gateway=kubeflow/kubeflow-gateway)
fi

echo "== KServe $KSERVE, $mode mode"
for chart in kserve-crd kserve-resources; do
  options=()
  [ "$chart" = kserve-crd ] ||
    options=(--set "kserve.controller.deploymentMode=$mode" "${gateway[@]}")
  helm upgrade --install "${chart%-resources}" "oci://ghcr.io/kserve/charts/$chart" \
    --version "$KSERVE" --namespace kserve --create-namespace --wait "${options[@]}"
done
