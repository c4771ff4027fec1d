"""Training in pods of other systems: their manifests, and the step that starts them.

| module | content |
| --- | --- |
| `nodes` | the train step on several nodes: a TrainJob for each model |
| `search` | a search by the train step: an Experiment of Katib |
| `job` | a job that a step starts, waits for, and takes along when it is stopped |
| `pod_news` | what the pods of a job say, wait for, and fail with |
| `step_pod` | the step's own pod, which theirs are like |
| `api` | requests to the API server |
| `train_job` | a TrainJob of Kubeflow Trainer: one training on several nodes |
| `optimization_job` | an OptimizationJob of Trainer: a search with one TrainJob per trial |
| `katib` | a Katib Experiment: a search with one Job per trial |
| `plan` | size and algorithm of a search |
| `pods` | account, keys, security, volumes and resources of their pods |
"""
