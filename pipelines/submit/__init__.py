"""A run or schedule on Kubeflow.

| module | content |
| --- | --- |
| `__main__` | the command: what is submitted |
| `submission` | upload, start, schedule and watch over KFP's API |
"""
