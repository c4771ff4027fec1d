"""The evaluate step: scores the exported model, compares it with others, applies the gate.

| module | content |
| --- | --- |
| `component` | the KFP face |
| `settings` | the user's choices |
| `run` | the story of the step: read, measure, judge, report |
| `inputs` | everything an evaluation is based on, read and checked |
| `measure` | each measurement |
| `gate`, `gates/` | the rules that a release must meet, and the shipped gate files |
| `report` | report page and model card |
"""
