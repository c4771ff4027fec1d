"""A run on this machine, with kfp.local.

| module | content |
| --- | --- |
| `__main__` | the command: the run and its results |
| `step_logs` | a log per step, and a quiet console |
"""
