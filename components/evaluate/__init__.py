"""The evaluate step: scores the exported model, compares it with others, applies the gate.

| module | content |
| --- | --- |
| `component` | the KFP face |
| `settings` | the user's choices |
| `run` | the story of the step |
| `inputs` | everything an evaluation is based on, read and checked |
| `out_of_domain` | labelled texts from another source |
| `assess` | all measurements, put together |
| `measure` | each measurement |
| `gate` | the rules that a release must meet |
| `report` | report page and model card |
"""
