"""Hyperparameter search for the train step.

| module | content |
| --- | --- |
| `space` | the search space, which Katib uses as well (`space.yaml` is the shipped one) |
| `study` | an Optuna study of trainings that resumes where it was stopped |
"""
