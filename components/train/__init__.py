"""The train step: fine-tune a small encoder and export it.

| module | content |
| --- | --- |
| `component` | the KFP face |
| `settings` | the settings and their checks |
| `run` | the story of the step: search, training, ablation |
| `fine_tuning` | one training, from the data set to the model folder |
| `launch` | one training in several processes |
| `arguments` | settings as command-line arguments |
| `devices` | the processes and the precision of a training |
| `methods/` | which weights of which encoder are trained |
| `loop/` | data, steps, checkpoints |
| `export/` | from a trained model to the model folder |
| `search/` | hyperparameter search |
| `cluster/` | manifests of trainings and searches on a cluster |
"""
