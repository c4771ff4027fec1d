"""The steps of the pipeline, one package per step, and what they share.

| package or module | content |
| --- | --- |
| `preflight` to `outcome` | the steps: `component` (KFP), `settings`, `run`, `__main__` (shell) |
| `serve` | the predictor that KServe runs |
| `artifacts` | what passes between the steps |
| `storage` | local paths, gs:// and s3:// |
| `errors` | errors that name the thing, the rule and the fix |
| `__main__` | the command line of the project, `emotion-pipeline` |
| `options`, `data_files`, `command_line` | settings from parameters, files and the command line |
| `descriptions` | what each setting means, in the words of its docstring |
| `progress` | a bar beneath the log lines of a step, at a terminal |
| `api_server` | the account that asks Kubernetes' API server, and its refusals in plain words |
| `kubeconfig` | the kubeconfig as kubectl reads it, and the proxies on the way to a server |
| `texts`, `processes`, `reports` | equal texts, servers that a step starts, report pages |
| `orphan_guard` | the program that ends such a server if its step is killed |

Imports run one way: steps, artifacts, shared modules, storage, errors.
"""
