"""A run on this machine, with kfp.local.

| module | content |
| --- | --- |
| `__main__`, `run` | the command, and the run with its results |
| `watch` | the same for the pipeline that watches |
| `runner` | a run's steps, and its results as a folder |
| `step_logs` | a log per step |
| `display` | what a person sees of a run |
| `folders` | the folders of runs |
"""
