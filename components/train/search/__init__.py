"""Hyperparameter search for the train step.

| module | content |
| --- | --- |
| `space` | the search space, also of searches on a cluster (`space.yaml` is the shipped one) |
| `study` | an Optuna study of trainings that resumes where it was stopped |
"""
