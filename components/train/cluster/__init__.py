"""Manifests that train on a cluster.

| module | content |
| --- | --- |
| `train_job` | a TrainJob of Kubeflow Trainer: one training on several nodes |
| `katib` | a Katib Experiment: a search with one Job per trial |
| `pods` | account, keys, security, volumes and resources of their pods |
"""
