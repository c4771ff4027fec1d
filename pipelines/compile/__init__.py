"""Compiling the pipeline for a cluster.

| module | content |
| --- | --- |
| `__main__`, `compiler` | the command, and the compiled file |
| `settings` | what differs between clusters |
| `resources` | needs of each step |
| `placement` | a step of the graph on its node |
| `pins` | content hashes of outside data as parameters |
| `readme` | the graph in README.md |
"""
