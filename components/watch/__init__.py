"""The watch step: compares traffic with what the model in service was evaluated on.

| module | content |
| --- | --- |
| `component` | the KFP face |
| `settings` | the user's choices |
| `run` | the story of the step: read, measure, compare, report |
| `records` | payload logs as files: those of KServe's logger, and CloudEvents |
| `payloads` | the texts of a request, and what was answered |
| `exchanges` | requests joined with their answers, a bounded sample |
| `reference` | the model that is watched, and what it saw at its evaluation |
| `traffic` | the texts of the sample with the model's probabilities |
| `drift` | two-sample tests, and the confusion that the model expects of itself |
| `labelling` | texts for people to label in Label Studio |
| `redaction` | personal data taken out of them |
| `findings`, `report` | what was found, as numbers and as a page |
| `retrain` | a run of the main pipeline that is aimed at what drifted |
"""
