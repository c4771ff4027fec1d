"""Manifests that train on a cluster.

| module | content |
| --- | --- |
| `train_job` | a TrainJob of Kubeflow Trainer: one training on several nodes |
| `optimization_job` | an OptimizationJob of Trainer: a search with one TrainJob per trial |
| `katib` | a Katib Experiment: a search with one Job per trial |
| `plan` | size and algorithm of a search |
| `pods` | account, keys, security, volumes and resources of their pods |
"""
