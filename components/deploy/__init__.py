"""Deploys a model as a KServe InferenceService and checks that it serves.

| module | content |
| --- | --- |
| `run` | the step: checks, publication, target, champion |
| `settings` | the settings, with their defaults and ranges |
| `inference_service` | the InferenceService of a model |
| `release` | the facts about a model, and its way to the champion's place |
| `requirements` | checks before a deploy to a cluster begins |
| `smoke_test` | labelled sentences sent over V1 and V2, and checks of the answers |
| `targets.render` | the InferenceService as a file |
| `targets.local` | the predictor on this machine |
| `targets.kserve` | deploys to a cluster, rolls back and reports |
| `cluster.api`, `cluster.connection` | requests to a Kubernetes API server |
| `cluster.lease` | one deploy of a service at a time, with a journal for the next one |
| `cluster.transaction` | from the old model to the new one, or back |
| `cluster.rollout` | waiting until a service serves a manifest |
| `cluster.record`, `cluster.status`, `cluster.pods` | a service, its status and its pods read |
"""
