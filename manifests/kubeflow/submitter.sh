#!/usr/bin/env bash
# Prints a token that may run pipelines in a namespace, for KFP_TOKEN:
# manifests/kubeflow/submitter.sh NAMESPACE
set -euo pipefail
namespace=${1:?usage: submitter.sh NAMESPACE}

kubectl apply --server-side --filename - >&2 <<END
apiVersion: v1
kind: ServiceAccount
metadata: {name: submitter, namespace: $namespace}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: submitter, namespace: $namespace}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kubeflow-pipelines-edit}
subjects: [{kind: ServiceAccount, name: submitter, namespace: $namespace}]
END
kubectl --namespace "$namespace" create token submitter --duration 8h \
  --audience pipelines.kubeflow.org
