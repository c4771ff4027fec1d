"""The gate: requirements that a model must meet to be released.

| module | content |
| --- | --- |
| `rules` | the keys of a gate file, how it is read, and how each rule is judged |
| `gates/` | the shipped gate files |

A new rule is a field of `Gate`, a line of its docstring and a case in `_rules`.
"""
