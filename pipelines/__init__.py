"""The pipeline: its graph, its parameters, and the ways to compile and run it.

| module | content |
| --- | --- |
| `emotion` | the graph and the parameters of a run |
| `watch` | the graph of the pipeline that watches what is in service |
| `predict` | the graph of the pipeline that scores many texts |
| `definitions` | the pipelines by name: how each is built, read and scheduled |
| `parameters`, `params/` | parameter sets and overrides, checked before anything runs |
| `parameter_sets` | these sets on a command line |
| `schedules` | the recurring runs, which are those of manifests/base |
| `local` | a run on this machine |
| `compile` | the YAML that the KFP UI imports, for a cluster |
| `submit` | a run or schedule on Kubeflow |
| `lock` | the digests of pushed images, which a compiled pipeline may name |
| `manifests` | the overlays as an artifact, which Flux and Argo CD follow |
"""
