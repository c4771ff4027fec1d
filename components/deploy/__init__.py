"""Deploys a model as a KServe InferenceService and checks that it serves.

| module | content |
| --- | --- |
| `run` | the step: checks, publication, target, champion |
| `settings` | the settings, with their defaults and ranges |
| `release` | a model, the facts about it, and its way to the champion's place |
| `registration` | what the model registry of Kubeflow Hub is told of a release, and when |
| `model_registry` | requests to that registry |
| `inference_service` | the InferenceService of a model |
| `smoke_test` | labelled sentences sent over V1 and V2, and checks of the answers |
| `local` | the target that runs the predictor on this machine |
| `kserve` | the target that deploys to a cluster, rolls back and reports |
| `try_out` | the smoke test of a model in a cluster, from wherever this process runs |
| `cluster.connection` | the account of a deploy: its connection and its rights |
| `cluster.api` | requests to a Kubernetes API server |
| `cluster.events` | the cluster's warnings, and which of them are final |
| `cluster.modes` | what KServe can do in a cluster: deployment modes, canaries |
| `cluster.lease` | one deploy of a service at a time, with a journal for the next one |
| `cluster.transaction` | from the old model to the new one, or back |
| `cluster.rollout` | waiting until a service serves a manifest |
| `cluster.pods` | the pods of a service, and what keeps them from working |
| `cluster.port_forward` | a way to a pod through the API server |
| `cluster.service` | a service as the cluster returns it: status, address, this project's fields |
"""
