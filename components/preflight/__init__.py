"""Everything that a run will need is tried before any work is spent.

| module | content |
| --- | --- |
| `component`, `__main__` | the step in KFP and from a shell |
| `settings`, `run` | where the run happens, and the step itself |
| `plan` | which checks a run needs |
| `checks` | running many checks at once, within a time limit |
| `sources` | whether what is read can be reached: data set, encoder, LLMs |
| `data`, `hub`, `servers` | rows, repositories of the hub and LLM servers, for `sources` |
| `stores` | whether the folders that are written can be written |
| `cluster_checks` | whether the cluster has what the run needs |
"""
