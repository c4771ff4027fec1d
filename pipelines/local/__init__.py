"""A run on this machine, with kfp.local.

| module | content |
| --- | --- |
| `__main__` | the command: the run and its results |
| `watch` | the same for the pipeline that watches |
| `runner` | a run's steps, and its results as a folder |
| `step_logs` | a log per step, and a quiet console |
"""
