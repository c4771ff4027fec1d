"""A run or schedule on Kubeflow.

| module | content |
| --- | --- |
| `__main__` | the command: what is submitted |
| `connection` | a server that is known to be Kubeflow Pipelines |
| `cron` | the times of a schedule |
| `submission` | upload, start and schedule over KFP's API |
| `observed` | what can be seen of a run from here |
| `watch` | a run watched to its end, and why it failed |
| `links` | where people look at it |
"""
