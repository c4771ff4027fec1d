#!/usr/bin/env bash
# Copies the keys of Kubeflow's object storage into the secret that steps, KFP's launcher and KServe
# read: manifests/overlays/kind/object-storage.sh NAMESPACE
set -euo pipefail
namespace=${1:?usage: object-storage.sh NAMESPACE}

key() {
  kubectl --namespace kubeflow get secret mlpipeline-minio-artifact \
    --output "jsonpath={.data.$1}" | base64 --decode
}

kubectl --namespace "$namespace" create secret generic object-storage --dry-run=client \
  --output yaml --from-literal="AWS_ACCESS_KEY_ID=$(key accesskey)" \
  --from-literal="AWS_SECRET_ACCESS_KEY=$(key secretkey)" |
  kubectl annotate --local --filename - --output yaml \
    serving.kserve.io/s3-endpoint=seaweedfs.kubeflow:9000 \
    serving.kserve.io/s3-usehttps=0 \
    serving.kserve.io/s3-region=us-east-1 |
  kubectl apply --server-side --filename -
