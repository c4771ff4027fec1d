"""The train step: fine-tune a small encoder and export it.

| module | content |
| --- | --- |
| `component` | the KFP face |
| `settings` | the settings, their checks, and the arguments that give them |
| `step` | the step: a search and a training, each in its own pod or in others |
| `run` | all of it in the step's own pod: search, training, ablation |
| `default_copies` | where checkpoints are copied to unless the user says so |
| `fine_tuning` | one training, from the data set to the model folder |
| `launch` | one training in several processes |
| `methods/` | which weights of which encoder are trained, and how fast |
| `loop/` | data, steps, checkpoints |
| `distillation/` | a smaller student of the trained model |
| `export/` | from a trained model to the model folder |
| `search/` | hyperparameter search |
| `cluster/` | trainings and searches in pods of their own |
"""
