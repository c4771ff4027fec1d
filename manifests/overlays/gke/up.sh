#!/usr/bin/env bash
# Creates what the overlay builds on in Google Cloud: a cluster with GPU nodes that come on demand,
# a bucket, a registry of images, and the accounts of steps and predictor with their rights; then
# installs Kubeflow Pipelines and KServe (Knative mode), builds the images and pushes them.
#
#   PROJECT=my-project REGION=europe-west4 BUCKET=my-bucket manifests/overlays/gke/up.sh
#
# Needs gcloud, logged in as an owner of the project, kubectl, helm and docker.
set -euo pipefail
cd "$(dirname "$0")/../../.."
: "${PROJECT:?names the Google Cloud project}" "${REGION:?names the region}"
: "${BUCKET:?names the bucket to create}"
conditions=$(mktemp -d)
trap 'rm -r "$conditions"' EXIT

gcloud config set project "$PROJECT"
gcloud services enable container.googleapis.com artifactregistry.googleapis.com

# Dataplane V2 enforces network policies.
gcloud container clusters create emotion --region "$REGION" --release-channel regular \
  --enable-dataplane-v2 --workload-pool "$PROJECT.svc.id.goog" \
  --machine-type e2-standard-8 --num-nodes 1 --enable-autoscaling --min-nodes 1 --max-nodes 3
# GKE taints these nodes with nvidia.com/gpu=present; compile-settings.yaml tolerates it.
gcloud container node-pools create gpu --cluster emotion --region "$REGION" \
  --node-locations "$REGION-a" --machine-type g2-standard-16 \
  --accelerator type=nvidia-l4,count=1,gpu-driver-version=default \
  --num-nodes 0 --enable-autoscaling --min-nodes 0 --max-nodes 3
gcloud container clusters get-credentials emotion --region "$REGION"

gcloud storage buckets create "gs://$BUCKET" --location "$REGION" \
  --uniform-bucket-level-access --public-access-prevention
gcloud storage buckets update "gs://$BUCKET" --versioning

gcloud artifacts repositories create emotion-pipeline --location "$REGION" \
  --repository-format docker
# The account of the nodes pulls from there.
nodes=$(gcloud projects describe "$PROJECT" --format 'value(projectNumber)')-compute
gcloud artifacts repositories add-iam-policy-binding emotion-pipeline --location "$REGION" \
  --role roles/artifactregistry.reader \
  --member "serviceAccount:$nodes@developer.gserviceaccount.com"

# acts_as GOOGLE_ACCOUNT NAMESPACE/ACCOUNT: pods of a Kubernetes account act as a Google account.
acts_as() {
  gcloud iam service-accounts add-iam-policy-binding "$1@$PROJECT.iam.gserviceaccount.com" \
    --role roles/iam.workloadIdentityUser \
    --member "serviceAccount:$PROJECT.svc.id.goog[$2]"
}
for name in runner predictor reports; do
  gcloud iam service-accounts create "emotion-$name"
done
acts_as emotion-runner emotion/runner
acts_as emotion-runner emotion/default-editor
acts_as emotion-predictor emotion/predictor
# KFP's UI shows reports from the bucket.
acts_as emotion-reports kubeflow/ml-pipeline-ui

# may ACCOUNT ROLE FOLDER...: rights on folders of the bucket. A condition on object names does not
# cover listing, which is a right on the bucket itself: hence the bucket's name in the expression.
may() {
  local account=$1 role=$2 folder expression="resource.name == \"projects/_/buckets/$BUCKET\""
  shift 2
  for folder in "$@"; do
    expression+=" || resource.name.startsWith(\"projects/_/buckets/$BUCKET/objects/$folder/\")"
  done
  printf 'title: %s\nexpression: >-\n  %s\n' "$account" "$expression" >"$conditions/$account.yaml"
  gcloud storage buckets add-iam-policy-binding "gs://$BUCKET" --role "$role" \
    --condition-from-file "$conditions/$account.yaml" \
    --member "serviceAccount:emotion-$account@$PROJECT.iam.gserviceaccount.com"
}
# A run that is killed while it publishes writes the same files again, so the runner may also
# replace what is in the registry.
may runner roles/storage.objectUser runs models
may predictor roles/storage.objectViewer models
may reports roles/storage.objectViewer runs

manifests/kubeflow/install.sh Knative
kubectl --namespace kubeflow annotate --overwrite serviceaccount ml-pipeline-ui \
  "iam.gke.io/gcp-service-account=emotion-reports@$PROJECT.iam.gserviceaccount.com"
kubectl --namespace kubeflow rollout restart deployment/ml-pipeline-ui

gcloud auth configure-docker "$REGION-docker.pkg.dev"
make images push lock REGISTRY="$REGION-docker.pkg.dev/$PROJECT" TAG=v1
