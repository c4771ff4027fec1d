"""Artifacts that pass between the steps, the edges of the graph in README.md.

Each module holds the types of its artifact, its writer, its reader and its checks.

| module | artifact | from | to |
| --- | --- | --- | --- |
| `task`, `tasks/` | the labels and what they mean | the user | every step |
| `synthetic`, `ledger_lines` | an LLM's sentences and its ledger | generate | merge |
| `dataset` | the merged data set | merge | train, evaluate, deploy |
| `model` | the trained, exported and sealed model | train | evaluate, deploy, serve |
| `evaluation` | scores and the gate's verdict | evaluate | deploy |
| `publishing` | published models | deploy | evaluate of the next run, the cluster |
| `signer`, `signatures` | their signatures | deploy | the same |
| `model_image`, `image`, `image_repository` | published models as images | deploy | the cluster |
| `registry` | the champion among them | deploy | preflight and evaluate of the next run |
| `jobs` | the kinds of jobs that a step starts in pods of their own | train | outcome |
| `remarks` | what a step that succeeded could not do | deploy | outcome |
"""
