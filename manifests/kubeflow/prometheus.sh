#!/usr/bin/env bash
# Installs Prometheus and Grafana in the namespace `monitoring`, which find the pod monitor, the
# alerts and the dashboard of the overlays in any namespace. May be run again.
set -euo pipefail

helm repo add prometheus-community https://prometheus-community.github.io/helm-charts
helm upgrade --install monitoring prometheus-community/kube-prometheus-stack \
  --namespace monitoring --create-namespace \
  --set prometheus.prometheusSpec.podMonitorSelectorNilUsesHelmValues=false \
  --set prometheus.prometheusSpec.ruleSelectorNilUsesHelmValues=false \
  --set grafana.sidecar.dashboards.searchNamespace=ALL
