"""Compiling the pipeline for a cluster.

| module | content |
| --- | --- |
| `__main__`, `compiler` | the command, and the compiled file |
| `source` | what to compile, as a command line names it |
| `settings` | what differs between clusters |
| `resources` | needs of each step |
| `placement` | a step of the graph on its node |
| `pins` | content hashes of outside data as parameters |
| `readme` | the graph in README.md |
"""
