"""The exit handler: how a run ended is recorded and reported.

| module | content |
| --- | --- |
| `component`, `__main__` | the step in KFP and from a shell |
| `settings`, `run` | where the end is reported, and the step itself |
| `ending` | how the run ended, asked of the cluster |
| `cluster` | requests to the cluster: Workflow, logs, events |
| `workflow`, `last_words` | what a Workflow and the end of a log say |
"""
