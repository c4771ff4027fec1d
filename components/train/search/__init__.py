"""Hyperparameter search for the train step.

| module | content |
| --- | --- |
| `space` | the search space, which Katib uses as well (`space.yaml` is the shipped one) |
| `study` | an Optuna study that resumes where it was stopped |
| `tuned` | the study whose trials train and score real models |
"""
