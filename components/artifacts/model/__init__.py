"""The model folder that train writes and evaluate, deploy and serve read.

| module | content |
| --- | --- |
| `bundle` | the files of the folder, its labels, and the manifest that seals it |
| `history` | what was measured while training |
| `version` | the version that a predictor answers and a deploy expects |
| `classifier` | from texts to probabilities: layout, engines, calibration |
| `profiling` | the measures of texts by which traffic is compared with an evaluation |
| `encoder` | from texts to points that are near each other if the texts mean the same |
| `attribution` | the words that mattered for a prediction |
"""
